import { describe, expect, test } from "vitest";
import { type DriftSuspicion, suspectDrift } from "../../../shared/geo/drift.ts";
import { parseRegistryRow, type RegistryRow } from "../../../shared/geo/registry-row.ts";
import { REPLICATION_STATE, type ReplicationState } from "../../../shared/geo/replication-state.ts";

const row = (state: ReplicationState, columns: Readonly<Record<string, string | number>> = {}): RegistryRow =>
  parseRegistryRow({ pk: "cool_widget#000", sk: "key", state: REPLICATION_STATE[state], ...columns });

const NAMED = { rep_version_id: "v1" };
const HELD = { attempt_token: "somebody", lease_until: 1 };

/** Every sort of row that the rule can tell apart, and some that it must not. */
const ROWS = {
  none: undefined,
  unwritten: row("pending"),
  tombstone: row("absent"),
  synced: row("synced", NAMED),
  failed: row("failed", NAMED),
  quarantined: row("synced", { ...NAMED, taint_until: 5 }),
  verifying: row("synced", { ...NAMED, v_token: "verifier", v_lease: 5 }),
  heldUnwritten: row("started", HELD),
  held: row("started", { ...NAMED, ...HELD }),
} as const satisfies Record<string, RegistryRow | undefined>;
type RowName = keyof typeof ROWS;

/** What a change means, by the row that is there. */
type Verdicts = Readonly<Record<RowName, DriftSuspicion>>;

const byRow = (unnamed: DriftSuspicion, named: DriftSuspicion, held: DriftSuspicion = "under_way"): Verdicts => ({
  none: unnamed,
  unwritten: unnamed,
  tombstone: unnamed,
  synced: named,
  failed: named,
  quarantined: named,
  verifying: named,
  heldUnwritten: held,
  held,
});

const CHANGES: readonly (readonly [eventName: string, versionId: string | undefined, verdicts: Verdicts])[] = [
  // The version that the row names: our own copy. Where no row names it, S3 is asked.
  ["ObjectCreated:Copy", "v1", byRow("look", "as_recorded")],
  ["ObjectCreated:Put", "v1", byRow("look", "as_recorded")],
  ["ObjectCreated:Copy", "v2", byRow("look", "look")],
  ["ObjectCreated:Put", "v2", byRow("look", "look")],
  ["ObjectCreated:Post", "v2", byRow("look", "look")],
  ["ObjectCreated:CompleteMultipartUpload", "v2", byRow("look", "look")],
  // S3 names the version where versions are kept; should it ever not, nothing is taken for ours.
  ["ObjectCreated:Copy", undefined, byRow("look", "look")],
  // A key that shows nothing is what a row says that names no replica.
  ["ObjectRemoved:DeleteMarkerCreated", "m1", byRow("as_recorded", "look")],
  ["LifecycleExpiration:DeleteMarkerCreated", "m1", byRow("as_recorded", "look")],
  // What stood behind a destroyed version or marker shows again, whatever the row says.
  ["ObjectRemoved:Delete", "v1", byRow("look", "look")],
  ["ObjectRemoved:Delete", "m1", byRow("look", "look")],
  // No row tells of tags and annotations, and no version id does.
  ["ObjectTagging:Put", "v1", byRow("touch", "touch")],
  ["ObjectTagging:Delete", "v1", byRow("touch", "touch")],
  ["ObjectAnnotation:Put", "v1", byRow("touch", "touch")],
  ["ObjectAnnotation:Delete", "v1", byRow("touch", "touch")],
  // Lifecycle destroys what nobody sees; that asks nothing of anybody, held or not.
  ["LifecycleExpiration:Delete", "v1", byRow("as_recorded", "as_recorded", "as_recorded")],
];

const CASES = CHANGES.flatMap(([eventName, versionId, verdicts]) =>
  (Object.keys(ROWS) as RowName[]).map((name) => [eventName, versionId ?? "no version", name, verdicts[name]] as const),
);

describe("what a change of the replica's bucket means follows from the row alone", () => {
  test.each(CASES)("%s of %s, when the row is %s: %s", (eventName, version, name, verdict) => {
    const change = version === "no version" ? { eventName } : { eventName, versionId: version };
    expect(suspectDrift(change, ROWS[name])).toBe(verdict);
  });

  test("whoever holds the row is waited for, before anything else is concluded", () => {
    for (const [eventName, versionId] of CHANGES) {
      if (eventName === "LifecycleExpiration:Delete") continue;
      const change = versionId === undefined ? { eventName } : { eventName, versionId };
      for (const columns of [HELD, { ...NAMED, ...HELD }, { rep_version_id: "v2", ...HELD }]) {
        expect(suspectDrift(change, row("synced", columns))).toBe("under_way");
      }
    }
  });
});
