import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { AwsLook } from "../../../cli/doctor/aws-look.ts";
import { awsLooker } from "../../../cli/doctor/aws-looker.ts";
import { type Answer, openWire, type Wire } from "../aws/support/wire.ts";

let wire: Wire;
let look: AwsLook;
beforeAll(async () => {
  wire = await openWire();
  look = awsLooker({ endpoint: wire.endpoint, credentials: { accessKeyId: "a", secretAccessKey: "b" } });
});
afterAll(() => wire.close());
beforeEach(() => void wire.seen.splice(0));

const json = (status: number, body: object): Answer => ({
  status,
  body: JSON.stringify(body),
  headers: { "content-type": "application/x-amz-json-1.0" },
});
const xml = (status: number, body: string): Answer => ({
  status,
  body: `<?xml version="1.0" encoding="UTF-8"?>${body}`,
  headers: { "content-type": "application/xml" },
});
const s3Error = (status: number, code: string): Answer =>
  xml(status, `<Error><Code>${code}</Code><Message>m</Message></Error>`);

const PLACE = { region: "eu-west-1", name: "one" };
const ACCOUNT = "111122223333";

const upload = (id: string, at: string): string =>
  `<Upload><Key>k</Key><UploadId>${id}</UploadId><Initiated>${at}</Initiated></Upload>`;

describe("the doctor's look around in AWS (F105)", () => {
  test("finds what is there, and in which account", async () => {
    wire.answer = json(200, { Table: { TableArn: `arn:aws:dynamodb:eu-west-1:${ACCOUNT}:table/one` } });
    expect(await look.table(PLACE)).toEqual({ outcome: "seen", seen: { account: ACCOUNT } });
    wire.answer = json(200, { QueueUrl: "http://127.0.0.1/one" });
    expect(await look.queue(PLACE)).toEqual({ outcome: "seen", seen: null });
  });

  test.each<readonly [string, Answer, () => Promise<unknown>]>([
    ["table", json(400, { __type: "com.amazonaws.dynamodb#ResourceNotFoundException" }), () => look.table(PLACE)],
    ["queue", json(400, { __type: "com.amazonaws.sqs#QueueDoesNotExist" }), () => look.queue(PLACE)],
    ["queue with messages", json(400, { __type: "com.amazonaws.sqs#QueueDoesNotExist" }), () => look.messages(PLACE)],
    ["bucket", s3Error(404, "NoSuchBucket"), () => look.bucket(PLACE)],
    ["bucket with uploads", s3Error(404, "NoSuchBucket"), () => look.uploads(PLACE, 0)],
    [
      "topic",
      xml(
        404,
        "<ErrorResponse><Error><Type>Sender</Type><Code>NotFound</Code><Message>m</Message></Error></ErrorResponse>",
      ),
      () => look.topic(PLACE, ACCOUNT),
    ],
    ["state machine", json(400, { __type: "StateMachineDoesNotExist" }), () => look.stateMachine(PLACE, ACCOUNT)],
  ])("says that there is no such %s", async (_what, answer, ask) => {
    wire.answer = answer;
    expect(await ask()).toEqual({ outcome: "absent" });
  });

  test("tells what it may not look at from what did not answer", async () => {
    wire.answer = s3Error(403, "AccessDenied");
    expect(await look.uploads(PLACE, 0)).toEqual({ outcome: "refused", reason: "AccessDenied" });
    wire.answer = json(400, { __type: "com.amazonaws.dynamodb#AccessDeniedException" });
    expect(await look.table(PLACE)).toEqual({ outcome: "refused", reason: "AccessDeniedException" });
    wire.answer = s3Error(400, "TooStrange");
    expect(await look.uploads(PLACE, 0)).toMatchObject({ outcome: "failed" });
  });

  test("counts the messages of a queue", async () => {
    wire.first.push(json(200, { QueueUrl: `${wire.endpoint}/one` }));
    wire.answer = json(200, { Attributes: { ApproximateNumberOfMessages: "3" } });
    expect(await look.messages(PLACE)).toEqual({ outcome: "seen", seen: 3 });
    wire.first.push(json(200, { QueueUrl: `${wire.endpoint}/one` }));
    wire.answer = json(200, {});
    expect(await look.messages(PLACE)).toMatchObject({ outcome: "failed" });
  });

  test("reads what each rule of a bucket reports, where to, and whether it passes over keys", async () => {
    wire.answer = xml(
      200,
      `<NotificationConfiguration>
        <TopicConfiguration><Topic>arn:aws:sns:eu-west-1:${ACCOUNT}:changes</Topic>
          <Event>s3:ObjectCreated:*</Event><Event>s3:ObjectRemoved:*</Event>
          <Filter><S3Key><FilterRule><Name>Prefix</Name><Value></Value></FilterRule></S3Key></Filter></TopicConfiguration>
        <QueueConfiguration><Queue>arn:aws:sqs:eu-west-1:${ACCOUNT}:some</Queue><Event>s3:ObjectTagging:*</Event>
          <Filter><S3Key><FilterRule><Name>Prefix</Name><Value>a/</Value></FilterRule></S3Key></Filter></QueueConfiguration>
      </NotificationConfiguration>`,
    );
    expect(await look.bucket(PLACE)).toEqual({
      outcome: "seen",
      seen: {
        versioning: "Off",
        topics: [{ to: "changes", events: ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"], isFiltered: false }],
        queues: [{ to: "some", events: ["s3:ObjectTagging:*"], isFiltered: true }],
      },
    });
  });

  test("counts the uploads that are older, and remembers the oldest", async () => {
    wire.answer = xml(
      200,
      `<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${upload("1", "2026-01-01T00:00:00.000Z")}${upload("2", "2026-01-03T00:00:00.000Z")}</ListMultipartUploadsResult>`,
    );
    expect(await look.uploads(PLACE, Date.UTC(2026, 0, 2))).toEqual({
      outcome: "seen",
      seen: { old: 1, oldestAt: Date.UTC(2026, 0, 1), more: false },
    });
  });
});
