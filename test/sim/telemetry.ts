import type { FlushableTelemetry } from "../../shared/lambda/each-message.ts";

/** Nobody listens: what is logged decides nothing. */
export const SILENT: FlushableTelemetry = {
  info: () => {},
  warn: () => {},
  error: () => {},
  count: () => {},
  duration: () => {},
  flush: () => {},
};
