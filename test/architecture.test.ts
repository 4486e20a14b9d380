import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { filesOf, foldersOf, ROOT, textOf } from "./docs/support/repository.ts";
import { importsOf, ROOMS, violationsOf } from "./support/import-rules.ts";

/** What ships, and what deploys it. Tests may import anything. */
const sources = filesOf().filter((path) => /^(shared|functions|infra|cli|web)\/.*\.tsx?$/.test(path));

describe("the import table of docs/architecture.md", () => {
  test.each(ROOMS.map(({ name, holds }) => [name, holds] as const))(
    "is about files that are there: %s",
    (_name, holds) => {
      expect(sources.some((path) => holds.test(path))).toBe(true);
    },
  );

  test("is kept by every file", () => {
    expect(sources.length).toBeGreaterThan(150);
    expect(sources.flatMap((path) => violationsOf(path, textOf(path)))).toEqual([]);
  });

  test("finds every import: each file that has one is seen to", () => {
    const unseen = sources.filter((path) => /^import /m.test(textOf(path)) && importsOf(textOf(path)).length === 0);
    expect(unseen).toEqual([]);
  });

  test.each([
    ["shared/geo/rule.ts", 'import { s3 } from "../aws/clients.ts";'],
    ["shared/geo/rule.ts", 'import { S3Client } from "@aws-sdk/client-s3";'],
    ["shared/geo/rule.ts", 'import { Crc64Nvme } from "@aws-sdk/checksums/crc";'],
    ["shared/geo/rule.ts", 'import { createSHA256 } from "hash-wasm";'],
    ["shared/geo/rule.ts", "export const now = () => Date.now();"],
    ["shared/geo/rule.ts", "export const dice = Math.random();"],
    ["shared/geo/rule.ts", 'import { randomBytes } from "node:crypto";'],
    ["shared/services/work.ts", "export const name = process.env.SITE_NAME;"],
    ["shared/services/work.ts", "await new Promise((tick) => setTimeout(tick, 5));"],
    ["shared/services/work.ts", 'import { DynamoTable } from "../aws/dynamo-table.ts";'],
    ["shared/services/work.ts", 'import type { DynamoTable } from "../aws/dynamo-table.ts";'],
    ["shared/services/work.ts", 'const { replicables } = await import("../replicables/index.ts");'],
    ["shared/tables/registry/write.ts", 'import { syncBlob } from "../../services/blob-sync/blob-sync.ts";'],
    ["shared/memory/fake.ts", 'import { S3Bucket } from "../aws/s3-bucket.ts";'],
    ["shared/ports/port.ts", 'import * as z from "zod/mini";'],
    ["shared/lambda/skin.ts", 'import { handler } from "aws-lambda";'],
    ["shared/client/client.ts", 'import {\n  type A,\n  b,\n} from "../services/authenticate.ts";'],
    ["functions/checksum/handler.ts", 'import { count } from "../counters/count.ts";'],
    ["functions/checksum/handler.ts", 'import { MemoryTable } from "../../shared/memory/table.ts";'],
    ["functions/checksum/env.ts", 'import { REPLICATION_STATE } from "../../shared/geo/replication-state.ts";'],
    ["functions/checksum/env.ts", 'import { handler } from "../event-consumer/handler.ts";'],
    ["infra/subsystems/checksum.ts", 'import { handler } from "../../functions/checksum/handler.ts";'],
    ["infra/subsystems/checksum.ts", 'import { clientsFor } from "../local/clients.ts";'],
    ["infra/stacks/stack.ts", 'export { S3Client } from "@aws-sdk/client-s3";'],
    ["cli/main.ts", 'import { App } from "aws-cdk-lib";'],
    ["cli/main.ts", 'import { S3Client } from "@aws-sdk/client-s3";'],
    ["cli/commands/fly.ts", 'import { twoSites } from "../../test/support/two-sites.ts";'],
    ["cli/commands/fly.ts", 'import { syncBlob } from "../../shared/services/blob-sync/blob-sync.ts";'],
    ["shared/elsewhere/file.ts", ""],
  ])("would not be kept by %s with: %s", (path, source) => {
    expect(violationsOf(path, source)).toHaveLength(1);
  });

  test.each([
    ["shared/geo/digest.ts", 'import { Crc64Nvme } from "@aws-sdk/checksums/crc";'],
    ["shared/geo/digest.ts", 'import { createSHA256 } from "hash-wasm";'],
    [
      "shared/geo/rule.ts",
      "/** Never Date.now: time comes in. */\nexport const later = (now: number) => now + 1; // not Math.random",
    ],
    ["functions/status-api/handler.ts", 'import { statusApp } from "./app.ts";\nimport { env } from "./env.ts";'],
    ["infra/subsystems/checksum.ts", 'import { env } from "../../functions/checksum/env.ts";'],
    ["functions/large-copy/env.ts", 'import { env } from "../event-consumer/env.ts";'],
    ["shared/lambda/skin.ts", 'import type { SQSEvent } from "aws-lambda";'],
  ])("is kept by %s with: %s", (path, source) => {
    expect(violationsOf(path, source)).toEqual([]);
  });
});

describe("every folder of functions/", () => {
  test.each(foldersOf("functions"))("%s has a handler, an environment, and a subsystem of its name", (folder) => {
    const wanted = [`functions/${folder}/handler.ts`, `functions/${folder}/env.ts`, `infra/subsystems/${folder}.ts`];
    expect(wanted.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  });
});

describe("every file", () => {
  test("is named in lowercase words joined by hyphens", () => {
    const word = "[a-z0-9]+(?:-[a-z0-9]+)*";
    const good = new RegExp(`^${word}(\\.(config|contract|test|local|d))*\\.tsx?$`);
    expect(sources.filter((path) => !good.test(path.split("/").at(-1) ?? ""))).toEqual([]);
  });

  test("is imported by the name of what holds a thing: nothing but the list of replicables gathers others", () => {
    const gatherers = sources.filter((path) => /^export (\*|\{|type \{)[^;]*\bfrom "/m.test(textOf(path)));
    expect(gatherers).toEqual([]);
  });
});
