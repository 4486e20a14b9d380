import { createComplexityRule } from "@pothos/plugin-complexity";
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  NoSchemaIntrospectionCustomRule,
  parse,
  type SelectionSetNode,
  specifiedRules,
  validate,
  visit,
} from "graphql";
import type { GraphQLCall } from "./call.ts";
import { Refusal } from "./refusal.ts";

/**
 * What one request may ask for. A query for every declared type with all fields of its registries and five rows each fits
 * into it with room, and so does one type with all its fields and a full page.
 */
export const LIMITS = {
  /** Words and signs of a query, before anything else is looked at: comparing fields costs the square of their number. */
  tokens: 3_000,
  /** Brackets of any kind inside of each other, before a query is parsed: parsing goes as deep as they do. */
  nesting: 50,
  /** Fields inside of each other. A registry's field through `edges` is at 5. */
  depth: 8,
  /** One for each field of each row, and 100 for each list: a list is a search. */
  complexity: 10_000,
  /** Other names for fields. The same list under many names costs as often. */
  aliases: 20,
  /** Fields of the query or mutation itself. */
  rootFields: 5,
  /** All fields, each fragment counted wherever it is named. */
  fields: 3_000,
  /** Values in the variables, and how deep they lie. */
  variableValues: 500,
  variableDepth: 5,
  /** Errors that one answer names. */
  errors: 10,
} as const;

const exceeded = (what: string, most: number, got: number | string): Refusal =>
  new Refusal(`${what}: expected at most ${most}, got ${got}`, "LIMIT_EXCEEDED");

/** What is wrong with the variables of a request; undefined when they are within the limits. */
export const variablesProblem = (variables: unknown): string | undefined => {
  let values = 0;
  let level: readonly unknown[] = [variables];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > LIMITS.variableDepth) {
      return `variables: expected values at most ${LIMITS.variableDepth} deep in each other`;
    }
    const inside = level.flatMap((value) => (typeof value === "object" && value !== null ? Object.values(value) : []));
    values += inside.length;
    if (values > LIMITS.variableValues) return `variables: expected at most ${LIMITS.variableValues} values`;
    level = inside;
  }
  return undefined;
};

const aliasesOf = (document: DocumentNode): number => {
  let aliases = 0;
  visit(document, {
    Field: ({ alias }) => {
      if (alias !== undefined) aliases += 1;
    },
  });
  return aliases;
};

/** How many fields something comes to. */
interface FieldCounts {
  /** Next to each other. */
  readonly beside: number;
  /** And all inside of them. */
  readonly all: number;
}

/**
 * Counts fields with each fragment in the place of its name, and each fragment once: fragments of fragments grow by powers,
 * and what goes through them one by one does not come back. Only of a document without cycles: validated.
 */
const fieldCounter = ({ definitions }: DocumentNode): ((selections: SelectionSetNode | undefined) => FieldCounts) => {
  const fragments = new Map(
    definitions.flatMap((one) => (one.kind === Kind.FRAGMENT_DEFINITION ? [[one.name.value, one] as const] : [])),
  );
  const counted = new Map<string, FieldCounts>();
  const ofFragment = (name: string): FieldCounts => {
    const known = counted.get(name);
    if (known !== undefined) return known;
    const counts = count(fragments.get(name)?.selectionSet);
    counted.set(name, counts);
    return counts;
  };
  const count = (selections: SelectionSetNode | undefined): FieldCounts => {
    let [beside, all] = [0, 0];
    for (const selection of selections?.selections ?? []) {
      const inside =
        selection.kind === Kind.FRAGMENT_SPREAD ? ofFragment(selection.name.value) : count(selection.selectionSet);
      beside += selection.kind === Kind.FIELD ? 1 : inside.beside;
      all += selection.kind === Kind.FIELD ? 1 + inside.all : inside.all;
    }
    return { beside, all };
  };
  return count;
};

/** The fields of the largest operation of a document. */
const mostFields = (document: DocumentNode): FieldCounts => {
  const count = fieldCounter(document);
  const counts = document.definitions.flatMap((one) =>
    one.kind === Kind.OPERATION_DEFINITION ? [count(one.selectionSet)] : [],
  );
  return {
    beside: Math.max(0, ...counts.map(({ beside }) => beside)),
    all: Math.max(0, ...counts.map(({ all }) => all)),
  };
};

/** A query as it was sent. */
export interface SentQuery {
  readonly query: string;
  readonly operationName?: string | null | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
}

type Checked = { readonly document: DocumentNode } | { readonly errors: readonly GraphQLError[] };

const TEXTS = /"(?:[^"\\\n]|\\.)*"/g;

/** How deep brackets lie inside of each other, texts left out. */
const nestingOf = (query: string): number => {
  let [depth, deepest] = [0, 0];
  for (const sign of query.replaceAll(TEXTS, "")) {
    if ("{[(".includes(sign)) deepest = Math.max(deepest, (depth += 1));
    else if ("}])".includes(sign)) depth -= 1;
  }
  return deepest;
};

const parsed = (query: string): Checked => {
  const nesting = nestingOf(query);
  if (nesting > LIMITS.nesting) return { errors: [exceeded("nesting", LIMITS.nesting, nesting)] };
  try {
    return { document: parse(query, { maxTokens: LIMITS.tokens }) };
  } catch (error) {
    if (error instanceof GraphQLError) return { errors: [error] };
    throw error;
  }
};

/**
 * Reads a query and holds it against the limits, in the order of what that costs: how long it is, whether it is one that the
 * schema has an answer to, and how much it asks for. Nothing of it has been begun then.
 *
 * Whoever is no administrator sees nothing but `geoNode: null`. They are not told what else there is either: no schema,
 * and no names that are like the one that they got wrong. The schema is public in the documentation; what it would tell
 * here is which version and which types this site has.
 */
export const checkedQuery = (
  schema: GraphQLSchema,
  { query, operationName, variables }: SentQuery,
  call: GraphQLCall,
): Checked => {
  const read = parsed(query);
  if ("errors" in read) return read;
  const { document } = read;
  const aliases = aliasesOf(document);
  if (aliases > LIMITS.aliases) return { errors: [exceeded("aliases", LIMITS.aliases, aliases)] };

  const rules = call.isAdmin ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule];
  const errors = validate(schema, document, rules, { hideSuggestions: !call.isAdmin, maxErrors: LIMITS.errors });
  if (errors.length > 0) return { errors };

  const { beside, all } = mostFields(document);
  if (beside > LIMITS.rootFields) return { errors: [exceeded("root fields", LIMITS.rootFields, beside)] };
  if (all > LIMITS.fields) return { errors: [exceeded("fields, those of fragments included", LIMITS.fields, all)] };
  if (!call.isAdmin) return { document }; // whatever they ask for is null, and costs nothing
  const cost = createComplexityRule({
    context: call,
    variableValues: variables,
    ...(operationName === undefined ? {} : { operationName }),
    validate: ({ complexity, depth }, report) => {
      if (depth > LIMITS.depth) report(exceeded("depth", LIMITS.depth, depth));
      if (complexity > LIMITS.complexity) {
        report(
          new Refusal(
            `complexity: expected at most ${LIMITS.complexity}, got ${complexity}; ask for fewer rows with first, fewer fields or fewer lists`,
            "LIMIT_EXCEEDED",
          ),
        );
      }
    },
  });
  const tooMuch = validate(schema, document, [cost], { maxErrors: LIMITS.errors });
  return tooMuch.length > 0 ? { errors: tooMuch } : { document };
};
