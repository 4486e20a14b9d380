import type { FlushableTelemetry } from "../../shared/lambda/each-message.ts";
import { SILENT as QUIET } from "../../shared/memory/silent-telemetry.ts";

/** Nobody listens: what is logged decides nothing. */
export const SILENT: FlushableTelemetry = { ...QUIET, flush: () => {} };
