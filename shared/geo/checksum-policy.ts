import {
  type AnyChecksum,
  attestation,
  attested,
  type ChecksumScheme,
  parseChecksum,
  schemeOf,
  sizeChecksum,
} from "./checksum.ts";
import { READ_LIMITS, type ReadLimits } from "./limits.ts";
import type { ObjectFacts } from "./object-facts.ts";
import type { ChecksumPolicy, Replicable } from "./replicable.ts";

/** What the replica of a source version is compared with: what S3 says of the source, or what the primary has to compute. */
export type Expectation = { readonly vouched: AnyChecksum } | { readonly toCompute: ChecksumScheme };

const vouchedOr = (vouched: AnyChecksum | undefined, toCompute: ChecksumScheme): Expectation =>
  vouched === undefined ? { toCompute } : { vouched };

/** What a type's policy makes of a source version. */
export const expectationOf = (policy: ChecksumPolicy, source: ObjectFacts): Expectation => {
  switch (policy) {
    case "stored_or_sha256":
      return vouchedOr(attested(source), "sha256");
    case "sha256":
    case "sha256-tree-64m":
      return { toCompute: policy };
    case "crc64nvme": {
      const stored = attested(source);
      return vouchedOr(stored?.startsWith("crc64nvme:") === true ? stored : undefined, policy);
    }
    case "size":
      return { vouched: sizeChecksum(source.size) };
    // What S3 says nothing of can only be read.
    case "attested":
      return vouchedOr(attestation(source), "sha256");
  }
};

/** What S3 says of the source under a type's policy, without anybody reading it; undefined when the primary has to read it. */
export const vouchedFor = (policy: ChecksumPolicy, source: ObjectFacts): AnyChecksum | undefined => {
  const expectation = expectationOf(policy, source);
  return "vouched" in expectation ? expectation.vouched : undefined;
};

/** Whether bytes have to be read to compare something with this value. */
export const isRead = (checksum: AnyChecksum): boolean => schemeOf(checksum) !== undefined;

/**
 * Whether a value that was recorded with a row may be what its type's policy wants now. One of another kind is from before
 * a change of the policy, and the primary's record is asked instead. What can not be read is nobody's: it shall be told of.
 */
export const isOfPolicy = (policy: ChecksumPolicy, recorded: string): boolean => {
  const parsed = parseChecksum(recorded);
  if (parsed === undefined) return true;
  switch (policy) {
    case "stored_or_sha256":
      return parsed.by === "bytes" && parsed.scheme !== "sha256-tree-64m";
    // Theirs are only ever the primary's.
    case "sha256":
    case "sha256-tree-64m":
      return false;
    case "crc64nvme":
      return parsed.by === "bytes" && parsed.scheme === policy;
    case "size":
      return parsed.by === "size";
    case "attested":
      return parsed.by === "attestation";
  }
};

/** Whether some large object is being worked on with many requests at a time by this process. */
export interface ParallelLane {
  /** Takes the lane, unless somebody is in it. Gives the way out. */
  enter(): (() => void) | undefined;
}

/** How objects are digested at a site: by what kind of checksum, and how they are read. */
export interface ChecksumRules {
  /** Of a type that nobody declared: the default. */
  policyOf(replicableName: string): ChecksumPolicy;
  readonly limits: ReadLimits;
  /** One for the whole process: its sockets are few. */
  readonly lane: ParallelLane;
}

export const parallelLane = (): ParallelLane => {
  let taken = false;
  return {
    enter: () => {
      if (taken) return undefined;
      taken = true;
      return () => void (taken = false);
    },
  };
};

/** The rules of a site whose types these are. To be made once in a process. */
export const checksumRules = (
  replicables: readonly Pick<Replicable, "name" | "checksumPolicy">[],
  limits: ReadLimits = READ_LIMITS,
): ChecksumRules => {
  const policies = new Map(replicables.map(({ name, checksumPolicy }) => [name, checksumPolicy]));
  return { policyOf: (name) => policies.get(name) ?? "stored_or_sha256", limits, lane: parallelLane() };
};
