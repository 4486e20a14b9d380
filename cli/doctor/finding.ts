/**
 * What a check says of one thing: all is well; somebody should know; something is wrong and this is what helps; or it could not
 * be looked at, and why.
 */
export type Verdict = "ok" | "warning" | "problem" | "unknown";

/** One line of a diagnosis. */
export interface Finding {
  /** Which check found it. */
  readonly check: string;
  /** The site that it is about; null: all of them. */
  readonly site: string | null;
  readonly verdict: Verdict;
  /** In a sentence. */
  readonly found: string;
  /** What helps, in a line; null where nothing has to be done. */
  readonly remedy: string | null;
  /** Of what could not be looked at: the caller may not. */
  readonly not_allowed?: true;
}

/** A check's own words: who asks fills in which check it was. */
export type Said = Omit<Finding, "check">;

export const ok = (site: string | null, found: string): Said => ({ site, verdict: "ok", found, remedy: null });

export const warning = (site: string | null, found: string, remedy: string): Said => ({
  site,
  verdict: "warning",
  found,
  remedy,
});

export const problem = (site: string | null, found: string, remedy: string): Said => ({
  site,
  verdict: "problem",
  found,
  remedy,
});

/**
 * @param remedy what would let it be looked at
 * @param isRefused the caller may not look
 */
export const unknown = (site: string | null, found: string, remedy: string, isRefused = false): Said => ({
  site,
  verdict: "unknown",
  found,
  remedy,
  ...(isRefused ? { not_allowed: true } : {}),
});
