import type { Surroundings } from "../surroundings.ts";

/** Columns of a screen that does not say how many it has. */
const COLUMNS_DEFAULT = 80;

const isSet = (text: string | undefined): boolean => text !== undefined && text !== "";

/** A standard stream, as far as it is asked about itself. */
type StreamFacts = Pick<NodeJS.WriteStream, "isTTY" | "columns">;

/**
 * What of a terminal there is to write to. A program or a file behind a pipe gets neither colours nor bars, and what `NO_COLOR`,
 * `FORCE_COLOR`, `TERM=dumb` and `CI` ask for is respected.
 * @param out where answers go; @param err where progress goes
 */
export const terminalOf = <Err extends StreamFacts>(
  env: Readonly<Record<string, string | undefined>>,
  out: StreamFacts,
  err: Err,
): Pick<Surroundings, "screen" | "colours"> & { readonly bars?: Err } => {
  const isDumb = env["TERM"] === "dumb";
  const isScreen = out.isTTY && !isDumb;
  const forced = env["FORCE_COLOR"];
  const colours = isSet(forced) ? forced !== "0" : isScreen && !isSet(env["NO_COLOR"]);
  return {
    colours,
    ...(isScreen ? { screen: { columns: () => out.columns || COLUMNS_DEFAULT } } : {}),
    ...(err.isTTY && !isDumb && !isSet(env["CI"]) ? { bars: err } : {}),
  };
};

/** How wide answers may be. Where there is no screen no line is broken, so that what scripts read does not vary. */
export const columnsOf = ({ screen }: Surroundings): number => screen?.columns() ?? Number.POSITIVE_INFINITY;
