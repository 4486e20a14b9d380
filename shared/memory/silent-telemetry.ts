import type { Telemetry } from "../ports/telemetry.ts";

/** Nobody listens: for worlds in which what is logged decides nothing and is read by nobody. */
export const SILENT: Telemetry = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  count: () => {},
  gauge: () => {},
  duration: () => {},
};
