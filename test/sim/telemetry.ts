import type { FlushableTelemetry } from "../../shared/lambda/each-message.ts";

/** Nobody listens: what is logged decides nothing. */
export const SILENT: FlushableTelemetry = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  count: () => {},
  gauge: () => {},
  duration: () => {},
  flush: () => {},
};
