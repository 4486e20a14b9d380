import type { AttributeValue, UpdateRequest } from "../ports/table.ts";

/** How a column is written in an expression. Columns are few, and every write names a score of them. */
interface Spelling {
  readonly name: string;
  readonly value: string;
  readonly set: string;
}

const spellings = new Map<string, Spelling>();

const spell = (column: string): Spelling => {
  const known = spellings.get(column);
  if (known !== undefined) return known;
  const spelling = { name: `#${column}`, value: `:${column}`, set: `#${column} = :${column}` };
  spellings.set(column, spelling);
  return spelling;
};

/**
 * Writes an update expression from what is to be set and removed, for the writes that record a varying set of columns.
 * A column set to undefined is removed: a row holds only what is true of it.
 */
export const assign = (
  columns: Readonly<Record<string, AttributeValue | undefined>>,
): {
  readonly set: readonly string[];
  readonly remove: readonly string[];
  readonly names: Record<string, string>;
  readonly values: Record<string, AttributeValue>;
} => {
  const set: string[] = [];
  const remove: string[] = [];
  const names: Record<string, string> = {};
  const values: Record<string, AttributeValue> = {};
  for (const [column, value] of Object.entries(columns)) {
    const spelling = spell(column);
    names[spelling.name] = column;
    if (value === undefined) {
      remove.push(spelling.name);
    } else {
      set.push(spelling.set);
      values[spelling.value] = value;
    }
  }
  return { set, remove, names, values };
};

/** A row's first `rev` is a random number below this. */
const FIRST_REV_BELOW = 2 ** 40;

/**
 * Where `rev` starts in a row that is made. Random, so that a row which is deleted and made again never comes to a `rev`
 * that somebody has seen in the old one: a slow worker's write, conditional on what it saw, would pass for the new row.
 *
 * @param random uniform in [0, 1)
 */
export const firstRev = (random: () => number): number => Math.floor(random() * FIRST_REV_BELOW);

/** One conditional write of `columns`; `rev` goes up with it. Further `SET` clauses may be given as text. */
export const writeColumns = ({
  key,
  columns,
  alsoSet = [],
  condition,
  values = {},
  names = {},
  revStart,
}: {
  readonly key: UpdateRequest["key"];
  readonly columns: Readonly<Record<string, AttributeValue | undefined>>;
  readonly alsoSet?: readonly string[];
  readonly condition: string;
  /** Values that the condition or `alsoSet` uses. */
  readonly values?: Readonly<Record<string, AttributeValue>>;
  readonly names?: Readonly<Record<string, string>>;
  /** What `rev` starts from when this write makes the row (`firstRev`). */
  readonly revStart?: number | undefined;
}): UpdateRequest => {
  const assigned = assign(columns);
  const set = [...assigned.set, ...alsoSet, revStart === undefined ? "rev = rev + :rev_step" : "rev = :rev_start"];
  const update = `SET ${set.join(", ")}${assigned.remove.length === 0 ? "" : ` REMOVE ${assigned.remove.join(", ")}`}`;
  return {
    key,
    update,
    condition,
    names: { ...assigned.names, ...names },
    values: {
      ...assigned.values,
      ...(revStart === undefined ? { ":rev_step": 1 } : { ":rev_start": revStart }),
      ...values,
    },
  };
};
