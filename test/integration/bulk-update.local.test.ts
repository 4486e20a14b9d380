import { randomInt } from "node:crypto";
import { SFNClient } from "@aws-sdk/client-sfn";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "../../cli/run-cli.ts";
import { clientConfig } from "../../infra/local/clients.ts";
import { SfnWorkflow } from "../../shared/aws/sfn-workflows.ts";
import { geoClient } from "../../shared/client/client.ts";
import type { BulkUpdateState } from "../../shared/client/contract.ts";
import { siteNames } from "../../shared/geo/physical-names.ts";
import { siteId } from "../../shared/geo/site-status.ts";
import { replicables } from "../../shared/replicables/index.ts";
import { cloud, installation, primary, secondary } from "../support/cloud.ts";
import { eventually } from "../support/eventually.ts";
import { putOnPrimary, registryRow, verified, versionsAt } from "./support/objects.ts";

/** No other suite uses this type: a bulk update is about all objects of one. */
const TYPE = "pages_deployment";
const KEYS = [1, 2, 3].map((site) => `pages_deployments/${randomInt(1, 2 ** 47)}/${site}/artifacts.zip`);
const [FIRST = ""] = KEYS;

/** Going through the 4,096 partitions of a type takes some seconds here, with all the others that use the cloud. */
const DONE_WITHIN_MS = 90_000;

const client = geoClient({ url: secondary.api_url, token: secondary.admin_token });
const id = siteId(secondary.name);
const sfn = new SFNClient(clientConfig(cloud, secondary.region));
const { bulkUpdate } = siteNames({ name: installation, account: cloud.account }, secondary);
const machine = new SfnWorkflow(sfn, `arn:aws:states:${secondary.region}:${cloud.account}:stateMachine:${bulkUpdate}`);

const geo = async (...args: readonly string[]) => {
  const said = { out: "", err: "" };
  const code = await runCli(args, {
    root: "/nowhere",
    replicables,
    env: { GEO_ENDPOINT_URL: secondary.api_url, GEO_TOKEN: secondary.admin_token },
    out: (text) => void (said.out += text),
    err: (text) => void (said.err += text),
  });
  return { code, ...said };
};

const reaches = (update: BulkUpdateState, what: string, isThere: (now: BulkUpdateState) => boolean) =>
  eventually(what, () => client.bulkUpdate(id, update.id), isThere, DONE_WITHIN_MS);

beforeAll(async () => {
  for (const key of KEYS) await putOnPrimary(key, `deployed: ${key}`);
  for (const key of KEYS) await verified(key);
});
afterAll(() => sfn.destroy());

describe("at the secondary", () => {
  test("geo resync copies one object again, and waits until it was asked for (F76, F18)", async () => {
    const before = await registryRow(FIRST);
    const { code, out, err } = await geo("resync", "--type", TYPE, "--key", FIRST);
    expect({ code, out, err }).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^1 rows of ireland are being copied again; 0 needed nothing\./) as string,
    });
    const row = await eventually(
      "the object has been copied again",
      () => registryRow(FIRST),
      (now) => now?.rep_version_id !== before?.rep_version_id && now?.verification_state === "succeeded",
    );
    expect(row).toMatchObject({ state: "synced" });
    expect(await versionsAt(secondary, FIRST)).toMatchObject({ versions: 2 });
  });

  test(
    "a reverify of a type is stopped half way, goes on when it is asked for again, and reads every replica (F77)",
    { timeout: 2 * DONE_WITHIN_MS },
    async () => {
      const wish = { action: "reverify", replicable_name: TYPE };
      const begun = await client.askForBulkUpdate(id, wish);
      const half = await reaches(begun, "the reverify has begun", ({ share_done: share }) => share > 0.02);
      expect(half.state).toBe("running");
      await machine.stop(`${begun.id}-1`, "killed by a test");
      const stopped = await client.askForBulkUpdate(id, wish);
      expect(stopped).toMatchObject({ id: begun.id, state: "running", asked_at: begun.asked_at });
      expect(await machine.describe(`${begun.id}-2`)).toMatchObject({ name: `${begun.id}-2` });
      const done = await reaches(begun, "the reverify has asked every row", ({ state }) => state !== "running");
      expect(done).toMatchObject({ state: "succeeded", share_done: 1, error: null });
      expect(done.changed_count).toBeGreaterThanOrEqual(KEYS.length);
      for (const key of KEYS) {
        await eventually(
          "the replica has been read again",
          () => registryRow(key),
          (row) => (row?.verified_at ?? 0) > Date.parse(begun.asked_at) && row?.verification_state === "succeeded",
        );
      }
      // The same within the hour is not done again.
      expect(await client.askForBulkUpdate(id, wish)).toMatchObject({ state: "succeeded", asked_at: begun.asked_at });
    },
  );

  test("a resync of a type is cancelled, and asks nothing more (F77)", async () => {
    const wish = { action: "resync", replicable_name: TYPE, replication_state: "synced" };
    const begun = await client.askForBulkUpdate(id, wish);
    expect(await client.cancelBulkUpdate(id, begun.id)).toMatchObject({ state: "cancelled" });
    await eventually(
      "the execution has ended",
      () => machine.describe(`${begun.id}-1`),
      (execution) => execution?.status === "succeeded",
      DONE_WITHIN_MS,
    );
    expect(await client.bulkUpdate(id, begun.id)).toMatchObject({
      state: "cancelled",
      share_done: expect.any(Number) as number,
    });
    expect((await client.bulkUpdates(id)).map(({ id: listed }) => listed)).toContain(begun.id);
  });
});

test("at the primary, a checksum of one object has it read again, and its replica after it (F77, F28)", async () => {
  const atPrimary = geoClient({ url: primary.api_url, token: primary.admin_token });
  const wish = { action: "checksum", replicable_name: TYPE, keys: [FIRST] };
  const begun = await atPrimary.askForBulkUpdate(siteId(primary.name), wish);
  await eventually(
    "the primary's record was asked for",
    () => atPrimary.bulkUpdate(siteId(primary.name), begun.id),
    ({ state, changed_count: changed }) => state === "succeeded" && changed === 1,
  );
  const replica = await eventually(
    "the replica has been read after the primary's object",
    () => registryRow(FIRST),
    (row) => (row?.verified_at ?? 0) > Date.parse(begun.asked_at) && row?.verification_state === "succeeded",
  );
  expect(replica).toMatchObject({ state: "synced", checksum_mismatch: false });
});
