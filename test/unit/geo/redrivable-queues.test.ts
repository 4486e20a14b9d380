import { describe, expect, test } from "vitest";
import {
  decodeRedrivableQueues,
  encodeRedrivableQueues,
  redrivableQueues,
} from "../../../shared/geo/redrivable-queues.ts";

const INSTALLATION = { name: "geo", account: "111122223333" };

describe("the queues whose dead letters can be sent back", () => {
  test("of a secondary are those that its objects go through, each in its region", () => {
    const queues = redrivableQueues(
      INSTALLATION,
      { name: "ireland", region: "eu-west-1", role: "secondary" },
      "us-east-1",
    );
    expect(queues.map(({ name, dead_letters, region }) => [name, dead_letters, region])).toEqual([
      ["ingest", "geo-ireland-ingest-dead-letters", "us-east-1"],
      ["geo-events", "geo-ireland-geo-events-dead-letters", "eu-west-1"],
      ["verification", "geo-ireland-verification-dead-letters", "eu-west-1"],
      ["replica-drift", "geo-ireland-replica-drift-dead-letters", "eu-west-1"],
      ["backfill", "geo-ireland-backfill-dead-letters", "eu-west-1"],
    ]);
  });

  test("of a primary is that of its checksums", () => {
    expect(
      redrivableQueues(INSTALLATION, { name: "virginia", region: "us-east-1", role: "primary" }, "us-east-1"),
    ).toEqual([
      {
        name: "checksum",
        queue: "geo-virginia-checksum",
        dead_letters: "geo-virginia-checksum-dead-letters",
        region: "us-east-1",
      },
    ]);
  });

  test("travel through a function's environment, and what is none is refused", () => {
    const queues = redrivableQueues(
      INSTALLATION,
      { name: "ireland", region: "eu-west-1", role: "secondary" },
      "us-east-1",
    );
    expect(decodeRedrivableQueues(encodeRedrivableQueues(queues))).toEqual(queues);
    expect(() => decodeRedrivableQueues('[{"name":"geo-events"}]')).toThrow(/queue/);
  });
});
