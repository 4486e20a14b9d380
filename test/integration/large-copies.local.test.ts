import { randomInt } from "node:crypto";
import { HeadObjectCommand } from "@aws-sdk/client-s3";
import { ListExecutionsCommand, SFNClient } from "@aws-sdk/client-sfn";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clientConfig } from "../../infra/local/clients.ts";
import { geoClient } from "../../shared/client/client.ts";
import { secondaryNames } from "../../shared/geo/physical-names.ts";
import { siteId } from "../../shared/geo/site-status.ts";
import { STRONG } from "../faults/changes.ts";
import { cloud, type CloudSite, installation, primary, secondary } from "../support/cloud.ts";
import { eventually } from "../support/eventually.ts";
import { listFunctions, tapFunction } from "../support/wire/tapped-functions.ts";
import { objectAt, putOnPrimary, sameOnBothSites, uniqueKey, verified } from "./support/objects.ts";

const MIB = 1024 * 1024;

/** S3's least size of a part: what is larger than one of these is copied in parts here. */
const PART_BYTES = 5 * MIB;

/** Three parts. */
const BODY = Buffer.alloc(11 * MIB, "0123456789abcdef");

/** From here on a workflow copies, one byte above what the function is to copy itself. */
const LARGE_COPY_BYTES = BODY.byteLength + 1;

const METADATA = { ContentType: "application/zip", CacheControl: "no-cache", Metadata: { made: "here" } };
const LIMIT_MS = 120_000;

const sfn = new SFNClient(clientConfig(cloud, secondary.region));
const { largeCopy } = secondaryNames({ name: installation, account: cloud.account }, secondary);
const stateMachineArn = `arn:aws:states:${secondary.region}:${cloud.account}:stateMachine:${largeCopy}`;

/** How many parts a site's object was made of. */
const partsOf = async (site: CloudSite, key: string): Promise<string | undefined> => {
  const { ETag } = await site.clients.s3.send(new HeadObjectCommand({ Bucket: site.bucket, Key: key }));
  return /-(\d+)"$/.exec(ETag ?? "")?.[1];
};

/** Objects are large here that fit into a test: the deployed functions are told other sizes, and nothing else. */
describe.skipIf(cloud.endpoint === undefined)("objects that are copied in parts", () => {
  const endings: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    const sizes = { SINGLE_COPY_BYTES: String(PART_BYTES), PART_BYTES: String(PART_BYTES) };
    for (const one of await listFunctions(cloud, [primary.region, secondary.region], installation)) {
      if (!/-(?:event-consumer|large-copy|batch-destroy)$/.test(one.name)) continue;
      const variables = one.name.endsWith("-event-consumer")
        ? { ...sizes, LARGE_COPY_BYTES: String(LARGE_COPY_BYTES) }
        : sizes;
      endings.push(await tapFunction(cloud, one, cloud.endpoint ?? "", { variables }));
    }
    if (endings.length !== 3) throw new Error(`expected the three functions that copy in parts, got ${endings.length}`);
  });
  afterAll(async () => {
    for (const end of endings) await end();
    sfn.destroy();
  });

  test("arrive whole, with all that travels with them, and are read back", { timeout: LIMIT_MS }, async () => {
    const key = uniqueKey("three-parts.zip");
    await putOnPrimary(key, BODY, { ...STRONG, ...METADATA });
    expect(await verified(key, 0, LIMIT_MS)).toMatchObject({ src_size: BODY.byteLength, checksum_mismatch: false });
    await sameOnBothSites(key);
    expect(await partsOf(secondary, key)).toBe("3");
  });

  test("are left to a workflow above a size, by one execution for each version", { timeout: LIMIT_MS }, async () => {
    const key = uniqueKey("by-workflow.zip");
    const body = Buffer.concat([BODY, Buffer.from("!!")]);
    await putOnPrimary(key, body, { ...STRONG, ...METADATA });
    expect(await verified(key, 0, LIMIT_MS)).toMatchObject({ src_size: body.byteLength, checksum_mismatch: false });
    await sameOnBothSites(key);
    expect((await objectAt(secondary, key))?.text?.endsWith("!!")).toBe(true);
    expect(await partsOf(secondary, key)).toBe("3");
    const { executions = [] } = await sfn.send(new ListExecutionsCommand({ stateMachineArn }));
    expect(executions.map(({ status }) => status)).toEqual(["SUCCEEDED"]);
  });

  test(
    "F82: come back from a batch destroy in parts, with all that stood beside them",
    { timeout: LIMIT_MS },
    async () => {
      const namespace = randomInt(1, 2 ** 47);
      const key = `namespace_uploads/${namespace}/1/large.zip`;
      await putOnPrimary(key, BODY, { ...STRONG, ...METADATA });
      const before = await objectAt(primary, key);
      const client = geoClient({ url: primary.api_url, token: primary.admin_token });
      const id = siteId(primary.name);
      // By a prefix: of a namespace every object that others have put here would be asked whose it is.
      const { id: destroy } = await client.planDestroy(id, { prefix: `namespace_uploads/${namespace}/` });
      const stateOf = (fact: string, state: string) =>
        eventually(
          fact,
          () => client.destroy(id, destroy),
          (progress) => progress.state === state,
          LIMIT_MS,
        );
      await stateOf("it is planned", "planned");
      await client.confirmDestroy(id, destroy, 1);
      await stateOf("it is destroyed", "destroyed");
      expect(await objectAt(primary, key)).toBeUndefined();
      await client.undoDestroy(id, destroy);
      const { restored_count, not_restored_count, restore_failed_count, problem } = await stateOf(
        "it is undone",
        "undone",
      );
      expect({ restored_count, not_restored_count, restore_failed_count, problem }).toEqual({
        restored_count: 1,
        not_restored_count: 0,
        restore_failed_count: 0,
        problem: null,
      });
      expect(await objectAt(primary, key)).toEqual(before);
      expect(await partsOf(primary, key)).toBe("3");
      await sameOnBothSites(key);
    },
  );
});
