import { join } from "node:path";

/** The folders of `functions/`: one Lambda, one subsystem and one section of docs/runbook.md each. */
export type FunctionFolder =
  | "admin-page"
  | "authorizer"
  | "batch-destroy"
  | "bulk-update"
  | "checksum"
  | "counter-audit"
  | "counters"
  | "event-consumer"
  | "event-publisher"
  | "large-copy"
  | "registry-consistency"
  | "replica-drift"
  | "retry-sweep"
  | "site-status"
  | "status-api"
  | "verification"
  | "verification-backfill";

const ROOT = join(import.meta.dirname, "../..");

/** The lockfile, which says what is bundled. */
export const LOCKFILE = join(ROOT, "package-lock.json");

/** What bundles have in the place of the SDK's chain of credential providers. */
export const LAMBDA_CREDENTIALS = join(ROOT, "shared/aws/lambda-credentials.ts");

/** Writes the built admin page into the folder that it is given. */
export const PAGE_BUILDER = join(ROOT, "web/build.ts");

/** The file that exports a function's `handler`. */
export const handlerFile = (folder: FunctionFolder): string => join(ROOT, "functions", folder, "handler.ts");
