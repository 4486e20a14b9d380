import type { RegistryState, VerificationState } from "../registries.ts";

/** The states of rows in Geo's words, each with a tone. */

const SYNC: Readonly<Record<RegistryState, readonly [string, string]>> = {
  PENDING: ["Sync pending", "plain"],
  STARTED: ["Syncing", "warn"],
  SYNCED: ["Synced", "good"],
  FAILED: ["Sync failed", "bad"],
};

const VERIFICATION: Readonly<Record<VerificationState, readonly [string, string]>> = {
  PENDING: ["Verification pending", "plain"],
  STARTED: ["Verifying", "warn"],
  SUCCEEDED: ["Verified", "good"],
  FAILED: ["Verification failed", "bad"],
  DISABLED: ["Verification disabled", "plain"],
};

const CHECKSUM: Readonly<Record<string, readonly [string, string]>> = {
  pending: ["Checksum pending", "plain"],
  started: ["Checksumming", "warn"],
  succeeded: ["Checksummed", "good"],
  failed: ["Checksum failed", "bad"],
  disabled: ["Checksums disabled", "plain"],
};

const Badge = ({ of: [text, tone] }: { readonly of: readonly [string, string] }) => (
  <span class={`badge ${tone}`}>{text}</span>
);

const UNKNOWN = ["Not known", "plain"] as const;

export const SyncState = ({ state }: { readonly state: RegistryState | null }) => (
  <Badge of={state === null ? UNKNOWN : SYNC[state]} />
);

export const Verification = ({ state }: { readonly state: VerificationState | null }) => (
  <Badge of={state === null ? UNKNOWN : VERIFICATION[state]} />
);

export const Checksum = ({ state }: { readonly state: string }) => <Badge of={CHECKSUM[state] ?? UNKNOWN} />;

/** What lists may be filtered by: value and words. */
export const SYNC_CHOICES = Object.entries(SYNC).map(([value, [text]]) => [value, text] as const);
export const VERIFICATION_CHOICES = Object.entries(VERIFICATION).map(([value, [text]]) => [value, text] as const);
export const CHECKSUM_CHOICES = Object.entries(CHECKSUM).map(([value, [text]]) => [value, text] as const);
