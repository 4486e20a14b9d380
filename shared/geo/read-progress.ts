import * as z from "zod/mini";
import { isSavable, type SavableScheme } from "./digest.ts";

/** How far a large object was read by an attempt that ran out of time. */
export interface ReadProgress {
  readonly scheme: SavableScheme;
  /** Bytes that are in `state`. */
  readonly offset: number;
  /** As `SavableDigest` saves it. */
  readonly state: string;
}

/** The version whose bytes were read. An id alone does not do: a version called `null` can be overwritten. */
export interface ReadPin {
  readonly versionId: string;
  readonly etag: string;
}

const Written = z.object({
  scheme: z.string(),
  offset: z.number(),
  state: z.string(),
  version_id: z.string(),
  etag: z.string(),
});

/** As it stands in a row: some 350 bytes, and only ever in the rows of large objects. */
export const writeProgress = (pin: ReadPin, { scheme, offset, state }: ReadProgress): string =>
  JSON.stringify({ scheme, offset, state, version_id: pin.versionId, etag: pin.etag });

/** What was written of this very version, by this scheme; undefined when it is of another, or can not be read. */
export const readProgressOf = (written: string | undefined, pin: ReadPin, scheme: string): ReadProgress | undefined => {
  const progress = written === undefined ? undefined : parse(written);
  if (progress?.version_id !== pin.versionId || progress.etag !== pin.etag) return undefined;
  if (progress.scheme !== scheme || !isSavable(progress.scheme)) return undefined;
  return { scheme: progress.scheme, offset: progress.offset, state: progress.state };
};

const parse = (written: string): z.infer<typeof Written> | undefined => {
  try {
    return Written.safeParse(JSON.parse(written)).data;
  } catch {
    return undefined;
  }
};
