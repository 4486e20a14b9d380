import { join } from "node:path";
import process from "node:process";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { siteId } from "../../shared/geo/site-status.ts";
import { LOCAL } from "../../infra/local/paths.ts";
import { openBrowser, type OperatorsBrowser } from "../day/browser.ts";
import { openDiary } from "../day/diary.ts";
import { openTerminal, type Printed } from "../day/terminal.ts";
import { ownKey, STRONG } from "../faults/changes.ts";
import { killWorkers } from "../faults/cloud-processes.ts";
import { failed, settled } from "../faults/convergence.ts";
import { type FaultyPair, faultyPair } from "../faults/faulty-pair.ts";
import { isRequired, isThere, WHY_NOT } from "../support/browser.ts";
import { cloud, primary, runFile, secondary } from "../support/cloud.ts";
import { eventually } from "../support/eventually.ts";
import { startOften } from "../support/wire/start-often.ts";
import { putOnPrimary, registryRow } from "./support/objects.ts";

/**
 * Where what the day came to is written, with its pictures. docs/operators-day is one of them. Only where somebody wants it
 * written the whole of it is lived: a worker's death, a pause and the gate take minutes, and other suites hold each of them.
 */
const isWhole = process.env["S3_GEO_DAY_FOLDER"] !== undefined;
const FOLDER = process.env["S3_GEO_DAY_FOLDER"] ?? join(LOCAL, "operators-day");

const seed = Number(process.env["S3_GEO_SEED"] ?? Date.now() % 1_000_000);
const diary = openDiary(
  FOLDER,
  `# An operator's day

Two sites on the local cloud, and somebody who looks after them. Everything below was printed by a terminal or shown by a
browser while \`test/integration/operators-day.local.test.ts\` ran. \`npm test\` lives the morning of such a day; all of it, and this page anew:

\`\`\`sh
S3_GEO_DAY_FOLDER=docs/operators-day npm run test:integration -- operators-day
\`\`\`

The local cloud knows no permissions, so a proxy answers \`AccessDenied\` in its place, as S3 would. The secondary is
paused for less than a minute; that it may be paused for hours, and that nothing is lost, is shown in simulated time by
\`test/scenario/pause.test.ts\`.`,
);
const terminal = openTerminal({ sitesFile: runFile, columns: 100 });
let browser: OperatorsBrowser;
let pair: FaultyPair;
const endings: (() => Promise<void>)[] = [];

/** Types a command, notes what it printed, and wants it to end as said. */
const type = async (command: string, exitCode = 0): Promise<Printed> => {
  const printed = await terminal.type(command);
  diary.show(printed);
  expect(printed).toMatchObject({ command, exitCode });
  return printed;
};

/** Types a command again and again until it ends as it should, and notes the last time. */
const typeUntil = async (command: string, exitCode: number, withinMs = 90_000): Promise<Printed> => {
  const printed = await eventually(
    `${command} ends with ${exitCode}`,
    () => terminal.type(command),
    (last) => last.exitCode === exitCode,
    withinMs,
  );
  diary.show(printed);
  return printed;
};

const lookAt = async (name: string, caption: string, url: string, text: string): Promise<void> => {
  const page = await browser.open(url, secondary.admin_token, text);
  diary.picture(name, caption, await page.screenshot());
  await page.close();
};

/** A key of the day, with a version that is safe. */
const safe = async (): Promise<{ readonly key: string; readonly id: string }> => {
  const own = ownKey();
  await putOnPrimary(own.key, "the first edition", STRONG);
  await settled(own.key);
  return own;
};

/** The page on which the objects of a type are listed at the secondary. */
const LIST = `${secondary.admin_url}/${siteId(secondary.name)}/replication/cool_widgets`;

/** No part of the day takes longer, on a busy machine either. */
const PART_MS_MAX = 5 * 60_000;

/** Why the day can not be lived here. A browser that is required and not there fails it instead. */
const whyNot =
  cloud.name !== "ministack"
    ? `a fault proxy stands before the local cloud only, and this is ${cloud.name}`
    : process.platform !== "linux"
      ? "its terminal is util-linux' script"
      : isThere || isRequired
        ? undefined
        : WHY_NOT;

const told = whyNot ?? (isWhole ? `seed ${seed}` : `its morning, seed ${seed}; S3_GEO_DAY_FOLDER has all of it lived`);

/**
 * The sites are as they were deployed: this runs before every other suite, so that a gate which looks at everything has
 * nothing of theirs to find.
 */
describe.skipIf(whyNot !== undefined)(`an operator's day (${told})`, { timeout: PART_MS_MAX }, () => {
  beforeAll(async () => {
    pair = await faultyPair({
      seed,
      visibilitySeconds: 5,
      variables: { "event-consumer": { SYNC_TIMEOUT_SECONDS: "10" } },
    });
    for (const folder of ["retry-sweep", "site-status", "registry-consistency"])
      endings.push(await startOften(folder, secondary.region));
    endings.push(await startOften("site-status", primary.region));
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    for (const end of endings) await end();
    await pair?.restore();
    await diary.write();
  });

  test("begins with a look at everything", async () => {
    diary.begin("In the morning");
    const { key } = await safe();
    diary.tell("A user has uploaded something. Is it safe?");
    // The primary records its own objects beside what the secondary does; before that, the newest version is not known.
    const explained = await typeUntil(`geo explain ${key}`, 0);
    expect(explained.text).toContain("safe");
    const { text } = await typeUntil("geo status --check", 0);
    expect(text).toMatch(/Cool Widgets Verified: 1\/1 \(100%\)/);
    await lookAt("sites", "The secondary's page", secondary.admin_url, secondary.name);
  });

  test("a permission is taken away: explain says which, and a redrive heals it", async () => {
    diary.begin("A permission is taken away");
    const { key, id } = await safe();
    const denied = pair.proxy.inject({
      fault: { kind: "refuse", status: 403, code: "AccessDenied", message: "Access Denied" },
      which: { operation: "CopyObject", mentions: id },
      times: 100,
    });
    diary.tell("Somebody has narrowed the copying role's policy, and a second edition is uploaded.");
    await putOnPrimary(key, "the second edition", STRONG);
    await failed(key);
    expect(denied.hits()).toBeGreaterThan(0);
    const explained = await type(`geo explain ${key}`, 3);
    expect(explained.text).toContain("AccessDenied");
    await type("geo registry list --type cool_widget --state failed");
    await lookAt("failed", "The same on the page", LIST, "AccessDenied");
    denied.lift();
    diary.tell("The policy is as it was. Nobody waits for the next try:");
    await type("geo redrive --reason forbidden --yes");
    await typeUntil(`geo explain ${key}`, 0);
  });

  test("somebody writes into the replica's bucket: it is put right by itself", async () => {
    diary.begin("A replica is overwritten");
    const { key } = await safe();
    const before = await registryRow(key);
    await secondary.clients.s3.send(new PutObjectCommand({ Bucket: secondary.bucket, Key: key, Body: "not ours" }));
    diary.tell("Somebody has written other bytes into the secondary's bucket.");
    await eventually(
      "the replica is the primary's again",
      () => registryRow(key),
      (row) => (row?.gen ?? 0) > (before?.gen ?? 0) && row?.gen === row?.done_gen,
    );
    await settled(key);
    const explained = await type(`geo explain ${key}`);
    expect(explained.text).toContain("the checksums are the same");
    diary.tell("And the proof, by reading it once more:");
    await type(`geo reverify --type cool_widget --key ${key} --yes`);
    await typeUntil(`geo explain ${key}`, 0);
  });

  test.runIf(isWhole)("a worker dies in the middle of a copy: its row is taken over", async () => {
    diary.begin("A worker dies");
    const { key, id } = await safe();
    const held = pair.proxy.inject({
      fault: { kind: "hold_request" },
      which: { operation: "CopyObject", caller: "event-consumer", mentions: id },
    });
    await putOnPrimary(key, "an edition whose copy dies", STRONG);
    await eventually(
      "the copy is under way",
      async () => held.hits(),
      (hits) => hits === 1,
    );
    expect(await killWorkers(pair.functions["event-consumer"].name)).toBe(1);
    held.lift();
    diary.tell("The function that copied it was killed with `kill -9`.");
    await type(`geo explain ${key}`, 3);
    const explained = await typeUntil(`geo explain ${key}`, 0, 120_000);
    diary.tell("What the dead worker had sent may still land, for an hour and a half; should it, it is put right.");
    expect(explained.text).toContain("watched until");
  });

  test.runIf(isWhole)("the secondary is paused: nothing is lost, and all of it follows", async () => {
    diary.begin("Maintenance");
    await type(`geo site pause ${secondary.name} --yes`);
    const { key } = ownKey();
    await eventually(
      "what is uploaded now waits",
      async () => {
        const own = ownKey();
        await putOnPrimary(own.key, "while it is paused", STRONG);
        await new Promise((tick) => setTimeout(tick, 3_000));
        return (await registryRow(own.key))?.state;
      },
      (state) => state === "pending",
    );
    await putOnPrimary(key, "while it is paused", STRONG);
    await eventually(
      "it is noted",
      () => registryRow(key),
      (row) => row !== undefined,
    );
    const explained = await type(`geo explain ${key}`, 3);
    expect(explained.text).toContain("paused");
    await type("geo preflight", 3);
    await type(`geo site resume ${secondary.name} --yes`);
    await type("geo wait verified --timeout 2m");
    await typeUntil(`geo explain ${key}`, 0);
  });

  test.runIf(isWhole)("ends with the proof that everything is at the other site", async () => {
    diary.begin("In the evening");
    const gate = await typeUntil("geo preflight", 0);
    expect(gate.text).not.toBe("");
    await type("geo status --check");
  });
});
