import { type Capacities, CAPACITY_NAMES, findCapacityProblem } from "./capacities.ts";
import { quoted } from "./key-codec.ts";
import {
  EVERYTHING,
  findSelectiveSyncProblems,
  SELECTIVE_SYNC_TYPES,
  type SelectiveSync,
  type SelectiveSyncType,
} from "./selective-sync.ts";
import { REVERIFICATION_DAYS } from "./site-settings.ts";
import type { SiteRole } from "./site-status.ts";

/** What of a site's settings an operator asks to be changed; what is not named stays. */
export interface SettingsRequest {
  /** False pauses a secondary, true has it go on (F98). */
  readonly enabled?: boolean;
  readonly selectiveSync?: SelectiveSync;
  readonly syncObjectStorage?: boolean;
  readonly capacities?: Partial<Capacities>;
  readonly minimumReverificationInterval?: number;
}

/** Where the ids of each type of selective sync stand in a request and in an answer: Geo's names. */
export const SELECTIVE_SYNC_LISTS = {
  namespaces: "selective_sync_namespace_ids",
  shards: "selective_sync_shards",
  organizations: "selective_sync_organization_ids",
} as const satisfies Record<Exclude<SelectiveSyncType, "none">, string>;

type ListedType = keyof typeof SELECTIVE_SYNC_LISTS;
type Lists = ReadonlyMap<ListedType, readonly string[]>;
const LISTED_TYPES = SELECTIVE_SYNC_TYPES.filter((type) => type !== "none");

const INTERVAL = "minimum_reverification_interval";
const STORAGE = "sync_object_storage";
const ENABLED = "enabled";
const SECONDARY_ONLY = ["selective_sync_type", ...Object.values(SELECTIVE_SYNC_LISTS), STORAGE, ENABLED];

/** Every setting that a request may name. */
export const SETTABLE: readonly string[] = [...CAPACITY_NAMES, INTERVAL, ...SECONDARY_ONLY];

/** How much of a wrong value is shown, and how many wrong names or ids. */
const SHOWN_LENGTH_MAX = 100;
const SHOWN_PARTS_MAX = 10;

type Sent = Readonly<Record<string, unknown>>;

/** Takes down a problem; whoever does so has no value to hand back. */
type Note = (problem: string) => undefined;

const shown = (value: unknown): string => {
  const text = JSON.stringify(value);
  return text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}…` : text;
};

/** One id as text. GitLab's own are whole numbers from 1; shards have names. What can be no id stays what it is. */
const asId = (value: unknown): unknown => {
  if (typeof value === "string") return value.trim();
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? String(value) : value;
};

/** A list of ids: an array, or a text with commas between them; Geo takes both. */
const readList = (sent: Sent, field: string, note: Note): readonly string[] | undefined => {
  const value = sent[field];
  if (value === undefined) return undefined;
  const parts: unknown = value === "" ? [] : typeof value === "string" ? value.split(",") : value;
  if (!Array.isArray(parts)) {
    return note(`${field}: expected a list of ids, or ids with commas between them, got ${shown(value)}`);
  }
  const ids = parts.map(asId);
  const texts = ids.filter((id) => typeof id === "string");
  if (texts.length === ids.length) return [...new Set(texts)];
  const wrong = ids.filter((id) => typeof id !== "string").slice(0, SHOWN_PARTS_MAX);
  return note(`${field}: expected ids, got ${wrong.map(shown).join(", ")}`);
};

const readLists = (sent: Sent, note: Note): Lists =>
  new Map(
    LISTED_TYPES.flatMap((type): [ListedType, readonly string[]][] => {
      const ids = readList(sent, SELECTIVE_SYNC_LISTS[type], note);
      return ids === undefined ? [] : [[type, ids]];
    }),
  );

/** Geo says null or nothing for a site that is not restricted; our word for it is taken as well. */
const isNone = (type: unknown): boolean => type === null || type === "" || type === "none";

const readType = (sent: Sent, stored: SelectiveSync, note: Note): SelectiveSyncType | undefined => {
  const asked = sent["selective_sync_type"];
  if (asked === undefined) return stored.type;
  if (isNone(asked)) return "none";
  const known = LISTED_TYPES.find((type) => type === asked);
  const expected = LISTED_TYPES.map(quoted).join(", ");
  return known ?? note(`selective_sync_type: expected ${expected} or null, got ${shown(asked)}`);
};

/** Ids for another type than the one that is to hold would do nothing; an empty list of them is what an answer has. */
const noteStrays = (lists: Lists, type: SelectiveSyncType, note: Note): void => {
  for (const [listed, ids] of lists) {
    if (listed === type || ids.length === 0) continue;
    note(`${SELECTIVE_SYNC_LISTS[listed]}: is for selective_sync_type "${listed}", and the site's is to be "${type}"`);
  }
};

/** The rule that is asked for: the type of the request or else the stored one, and its list in the same way. */
const readRule = (sent: Sent, stored: SelectiveSync, note: Note): SelectiveSync | undefined => {
  const lists = readLists(sent, note);
  const type = readType(sent, stored, note);
  if (type === undefined) return undefined;
  noteStrays(lists, type, note);
  if (sent["selective_sync_type"] === undefined && lists.size === 0) return undefined;
  if (type === "none") return EVERYTHING;
  const field = SELECTIVE_SYNC_LISTS[type];
  const ids = lists.get(type) ?? (stored.type === type ? stored.ids : undefined);
  if (ids !== undefined) {
    for (const problem of findSelectiveSyncProblems(type, ids)) note(`${field}: ${problem}`);
    return { type, ids };
  }
  // One that could not be read has been noted.
  return sent[field] === undefined
    ? note(`${field}: expected the ids that the site is to have, got nothing`)
    : undefined;
};

const readCapacities = (sent: Sent, note: Note): Partial<Capacities> | undefined => {
  const named = CAPACITY_NAMES.filter((name) => sent[name] !== undefined);
  for (const problem of named.flatMap((name) => findCapacityProblem(name, sent[name]) ?? [])) note(problem);
  // With a problem among them nothing is made of it; without one, all of them are numbers.
  return named.length === 0 ? undefined : Object.fromEntries(named.map((name) => [name, sent[name] as number]));
};

const readInterval = (sent: Sent, note: Note): number | undefined => {
  const value = sent[INTERVAL];
  if (value === undefined) return undefined;
  const { least, most } = REVERIFICATION_DAYS;
  return typeof value === "number" && Number.isInteger(value) && value >= least && value <= most
    ? value
    : note(`${INTERVAL}: expected a whole number of days from ${least} to ${most}, got ${shown(value)}`);
};

const readFlag = (sent: Sent, field: typeof STORAGE | typeof ENABLED, note: Note): boolean | undefined => {
  const value = sent[field];
  return value === undefined || typeof value === "boolean"
    ? value
    : note(`${field}: expected true or false, got ${shown(value)}`);
};

const noteUnknown = (sent: Sent, note: Note): void => {
  const unknown = Object.keys(sent).filter((name) => !SETTABLE.includes(name));
  if (unknown.length === 0) return;
  const names = unknown.slice(0, SHOWN_PARTS_MAX).map((name) => shown(name));
  note(`there is no setting called ${names.join(", ")}; expected some of ${SETTABLE.join(", ")}`);
};

/** Takes what only a secondary has out of what was sent to a primary. */
const forPrimary = (sent: Sent, note: Note): Sent => {
  const own = Object.entries(sent).filter(([name]) => !SECONDARY_ONLY.includes(name));
  const others = SECONDARY_ONLY.filter((name) => sent[name] !== undefined);
  for (const name of others) note(`${name}: is a setting of secondaries, and this site is the primary`);
  return Object.fromEntries(own);
};

/**
 * Reads from parsed JSON what is to be changed of a site's settings, under Geo's names. Everything that is wrong with it is
 * named together: what was expected, and what came.
 *
 * A type of selective sync that comes without its list keeps the stored one if that is of this type; a list that comes
 * without a type is for the stored type.
 *
 * @param stored the site's present rule
 */
export const parseSettingsRequest = (
  input: unknown,
  role: SiteRole,
  stored: SelectiveSync,
): { readonly request: SettingsRequest } | { readonly problems: readonly string[] } => {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    return { problems: [`body: expected an object such as {"files_max_capacity": 100}, got ${shown(input)}`] };
  }
  if (Object.keys(input).length === 0) {
    return { problems: [`body: expected some of ${SETTABLE.join(", ")}, got none of them`] };
  }
  const problems: string[] = [];
  const note = (problem: string): undefined => void problems.push(problem);
  noteUnknown({ ...input }, note);
  const sent = role === "primary" ? forPrimary({ ...input }, note) : { ...input };
  const selectiveSync = readRule(sent, stored, note);
  const syncObjectStorage = readFlag(sent, STORAGE, note);
  const enabled = readFlag(sent, ENABLED, note);
  const capacities = readCapacities(sent, note);
  const minimumReverificationInterval = readInterval(sent, note);
  if (problems.length > 0) return { problems };
  return {
    request: {
      ...(enabled === undefined ? {} : { enabled }),
      ...(selectiveSync === undefined ? {} : { selectiveSync }),
      ...(syncObjectStorage === undefined ? {} : { syncObjectStorage }),
      ...(capacities === undefined ? {} : { capacities }),
      ...(minimumReverificationInterval === undefined ? {} : { minimumReverificationInterval }),
    },
  };
};
