/**
 * What GitLab Geo's framework does, in 107 rows: the list that this product is measured by. A test shows a row by naming its
 * number in its title, as in "lets what left go, through the guard (F46)"; `npm run features` collects them.
 */
export const FEATURES = {
  F1: "One declaration makes a type; what can not be a type is refused at the start",
  F2: "All names follow from one name",
  F3: "Blobs are created, deleted and checksummed; updated is refused",
  F4: "The repository strategy",
  F5: "A strategy of one's own",
  F6: "The registry's columns and their defaults, one row per record",
  F7: "The primary's state row, which goes with its source",
  F8: "Registry states and exactly their transitions",
  F9: "Verification states; succeeded only from started",
  F10: "Synced is conditional: a change during a sync leaves the row pending",
  F11: "Columns are cleared, and failure texts kept while pending",
  F12: "Failure texts have at most 255 characters",
  F13: "The backoff curve with its jitter, and retries without end",
  F14: "A source that is missing: Geo's text, and waits of up to four hours",
  F15: "A record that is gone before its sync",
  F16: "Without a primary checksum a copy is accepted, and verified when there is one",
  F17: "A corrupt transfer is refused",
  F18: "Data that is there is adopted without a copy; a resync always copies",
  F19: "A lease per record",
  F20: "The sync timeout",
  F21: "The verification timeout",
  F22: "The primary checksums each object, within its capacity",
  F23: "Kinds of checksums, Geo's size strings among them",
  F24: "A secondary compares with the primary",
  F25: "A mismatch is recorded with both checksums",
  F26: "A mismatch is repaired, with growing waits",
  F27: "Failure counters survive a new attempt and end with success",
  F28: "Each new checksum of the primary has every secondary verify again",
  F29: "An object that is replaced while it is read",
  F30: "Re-verification after so many days, oldest first",
  F31: "The order of verification, and claims that nobody shares",
  F32: "A mismatch that is only a change under way",
  F33: "Secondaries report lasting mismatches to the primary",
  F34: "Capacities that change while the site runs",
  F35: "No type starves another",
  F36: "The event record and its payload",
  F37: "When events are published",
  F38: "Events that come twice, late and out of order change nothing",
  F39: "How far behind a secondary is",
  F40: "A new secondary starts from now; history comes by backfill",
  F41: "A consumer that fails tries again",
  F42: "No event is dropped that somebody still needs",
  F43: "One correlation id from the event to the consumer's log",
  F44: "Backfill of whatever has no registry",
  F45: "Orphans are removed with their registry",
  F46: "What a narrowed scope leaves out goes",
  F47: "State rows come and go with scope",
  F48: "A delete event applies whatever the scope",
  F49: "A delete copes with files that are missing, forbidden or unknown",
  F50: "With object replication off nothing is removed",
  F51: "Selective sync by namespaces, shards and organizations",
  F52: "A rule includes descendants",
  F53: "Types that are always replicated",
  F54: "sync_object_storage",
  F55: "A type's own filter, everywhere",
  F56: "Status fields per type",
  F57: "Percentages",
  F58: "The site's status fields",
  F59: "Health, with its reasons",
  F60: "Gathering the status in bounded time",
  F61: "Secondaries report up",
  F62: "Prometheus gauges",
  F63: "Dashboards and alarms",
  F64: "REST: sites",
  F65: "REST: statuses",
  F66: "The older name of the sites' API",
  F67: "REST: repair, and a site that changes itself",
  F68: "How sites trust each other",
  F69: "Retrieving a blob",
  F70: "The usage object",
  F71: "GraphQL: geoNode",
  F72: "GraphQL: registries with filters, sorts and cursors",
  F73: "GraphQL: every registry field",
  F74: "GraphQL: only the current site's registries",
  F75: "GraphQL: a secondary through the primary",
  F76: "Resync and reverify one record",
  F77: "Resync and reverify in bulk",
  F78: "The enumeration of registry classes",
  F79: "The primary's data management",
  F80: "One deleted event per record of a batch",
  F81: "Batch destroy, end to end",
  F82: "Large batches, resumable",
  F83: "A batch with a nil id is refused before anything is written",
  F84: "A type's replication flag",
  F85: "Forced checksumming at the primary",
  F86: "Experiments and their release",
  F87: "The flag for verifying objects",
  F88: "A new type in ten minutes",
  F89: "The upload partitions",
  F90: "Partitions and the legacy type exclude each other",
  F91: "Uploads whose owner is gone",
  F92: "A checksum that is taken over from a verified parent",
  F93: "The table of supported types",
  F94: "Page: overview of sites",
  F95: "Page: list of registries",
  F96: "Page: one registry",
  F97: "Page: site form",
  F98: "Pause and resume",
  F99: "The gate before a failover",
  F100: "Promotion",
  F101: "Maintenance mode",
  F102: "An old primary is attached again",
  F103: "Workers may die anywhere",
  F104: "Any event may be lost",
  F105: "Tools that clean up",
  F106: "Structured logs",
  F107: "A bench of the whole loop on a local cloud",
} as const satisfies Record<`F${number}`, string>;

/** A test that ran: its file, from the checkout's root, and its full name. */
export interface RanTest {
  readonly file: string;
  readonly name: string;
  readonly passed: boolean;
}

/** One row, as `npm run features -- --json` prints it. */
export interface ShownFeature {
  readonly id: string;
  readonly title: string;
  /** `file: name` of each test that shows it: it ran, and it passed. Empty: nothing shows it. */
  readonly tests: readonly string[];
}

/** `F46` in a title, and every row from the first to the last of `F44-F47`. */
const NUMBERS = /\bF(\d{1,3})(?:-F(\d{1,3}))?\b/g;

/** The rows that a title names, in order. Numbers that there are not are the title's own business. */
export const featuresNamed = (title: string): readonly string[] =>
  [...title.matchAll(NUMBERS)].flatMap(([, first, last]) => {
    const from = Number(first);
    const until = Number(last ?? first);
    return Array.from({ length: Math.max(0, until - from + 1) }, (_, step) => `F${from + step}`);
  });

/** Which rows are shown by which tests. A row that any test names and fails is shown by none: it does not hold. */
export const featuresShown = (tests: readonly RanTest[]): readonly ShownFeature[] => {
  const naming = new Map<string, RanTest[]>();
  for (const test of tests) {
    for (const id of featuresNamed(test.name)) naming.set(id, [...(naming.get(id) ?? []), test]);
  }
  return Object.entries(FEATURES).map(([id, title]) => {
    const named = naming.get(id) ?? [];
    const holds = named.every(({ passed }) => passed);
    return { id, title, tests: holds ? named.map(({ file, name }) => `${file}: ${name}`) : [] };
  });
};
