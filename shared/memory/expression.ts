import { TableRequestError } from "../geo/errors.ts";
import { unreachable } from "../geo/unreachable.ts";
import type { AttributeValue, Item } from "../ports/table.ts";
import { order, sameValue, sizeOf, typeOf, unstorable } from "./attribute-values.ts";
import { Compilations } from "./compilations.ts";
import type { Action, Comparator, Condition, Names, Operand, Path, Term } from "./expression-syntax.ts";
import { parseCondition, parseUpdate } from "./expression-syntax.ts";

/**
 * DynamoDB's expressions, compiled once into closures and then only called: exploration runs the same few expressions
 * millions of times.
 */

/** The `:value` placeholders of a request. */
export type Values = Readonly<Record<string, AttributeValue>>;

/** The expressions of one request, ready to run. */
export interface Compiled {
  /** Whether the condition holds for the item as it stands; true when there is no condition. */
  holds(item: Item, values: Values): boolean;
  /** The item after the update; the given one is left as it is. */
  apply(item: Item, values: Values): Item;
  /** Top-level attributes that the update writes or removes. */
  readonly touched: ReadonlySet<string>;
}

type Read = (item: Item, values: Values) => AttributeValue | undefined;
type Test = (item: Item, values: Values) => boolean;
type Change = (next: Record<string, AttributeValue>, item: Item, values: Values) => void;

const step = (value: AttributeValue | undefined, key: string | number): AttributeValue | undefined => {
  if (typeof value !== "object" || !Object.hasOwn(value, key)) return undefined;
  if (Array.isArray(value) !== (typeof key === "number")) return undefined;
  return (value as Readonly<Record<string | number, AttributeValue>>)[key];
};

const readPath = (path: Path): Read => {
  const [name, ...rest] = path;
  const top: Read = (item) => (Object.hasOwn(item, name) ? item[name] : undefined);
  if (rest.length === 0) return top;
  return (item, values) => rest.reduce<AttributeValue | undefined>(step, top(item, values));
};

const readValue =
  (placeholder: string): Read =>
  (_item, values) =>
    values[placeholder];

const readOperand = (operand: Operand): Read => {
  switch (operand.kind) {
    case "path":
      return readPath(operand.path);
    case "value":
      return readValue(operand.placeholder);
    case "size": {
      const read = readPath(operand.path);
      return (item, values) => {
        const value = read(item, values);
        return value === undefined ? undefined : sizeOf(value);
      };
    }
    default:
      return unreachable(operand);
  }
};

const ORDERED: Readonly<Record<Exclude<Comparator, "=" | "<>">, (sign: number) => boolean>> = {
  "<": (sign) => sign < 0,
  "<=": (sign) => sign <= 0,
  ">": (sign) => sign > 0,
  ">=": (sign) => sign >= 0,
};

/** A literal that stands where only some types have a meaning is refused, whatever the item holds. */
const readTyped = (operand: Operand, types: readonly string[], where: string): Read => {
  const read = readOperand(operand);
  if (operand.kind !== "value") return read;
  return (item, values) => {
    const value = read(item, values);
    if (value !== undefined && !types.includes(typeOf(value))) {
      throw new TableRequestError(`${where} takes ${types.join(" or ")}; ${operand.placeholder} is ${typeOf(value)}`);
    }
    return value;
  };
};

const compare = (comparator: Comparator, left: Operand, right: Operand): Test => {
  if (comparator === "=" || comparator === "<>") {
    const a = readOperand(left);
    const b = readOperand(right);
    const same: Test = (item, values) => {
      const x = a(item, values);
      const y = b(item, values);
      return x !== undefined && y !== undefined && sameValue(x, y);
    };
    // An absent attribute differs from everything: `<>` is the negation of `=`, unlike the other comparisons.
    return comparator === "=" ? same : (item, values) => !same(item, values);
  }
  const a = readTyped(left, ["N", "S"], comparator);
  const b = readTyped(right, ["N", "S"], comparator);
  const accepts = ORDERED[comparator];
  return (item, values) => {
    const x = a(item, values);
    const y = b(item, values);
    const sign = x === undefined || y === undefined ? undefined : order(x, y);
    return sign !== undefined && accepts(sign);
  };
};

const contains = (value: AttributeValue, part: AttributeValue): boolean => {
  if (typeof value === "string") return typeof part === "string" && value.includes(part);
  return Array.isArray(value) && value.some((element: AttributeValue) => sameValue(element, part));
};

const test = (condition: Condition): Test => {
  switch (condition.kind) {
    case "compare":
      return compare(condition.comparator, condition.left, condition.right);
    case "between": {
      const low = compare(">=", condition.operand, condition.low);
      const high = compare("<=", condition.operand, condition.high);
      return (item, values) => low(item, values) && high(item, values);
    }
    case "in": {
      const choices = condition.choices.map((choice) => compare("=", condition.operand, choice));
      return (item, values) => choices.some((choice) => choice(item, values));
    }
    case "and":
    case "or": {
      const left = test(condition.left);
      const right = test(condition.right);
      return condition.kind === "and"
        ? (item, values) => left(item, values) && right(item, values)
        : (item, values) => left(item, values) || right(item, values);
    }
    case "not": {
      const inner = test(condition.inner);
      return (item, values) => !inner(item, values);
    }
    case "exists": {
      const read = readPath(condition.path);
      return (item, values) => (read(item, values) !== undefined) === condition.wanted;
    }
    case "begins_with": {
      const read = readTyped(condition.operand, ["S"], "begins_with");
      const part = readTyped(condition.part, ["S"], "begins_with");
      return (item, values) => {
        const value = read(item, values);
        const start = part(item, values);
        return typeof value === "string" && typeof start === "string" && value.startsWith(start);
      };
    }
    case "contains": {
      const read = readOperand(condition.operand);
      const part = readOperand(condition.part);
      return (item, values) => {
        const value = read(item, values);
        const wanted = part(item, values);
        return value !== undefined && wanted !== undefined && contains(value, wanted);
      };
    }
    default:
      return unreachable(condition);
  }
};

const readTerm = (term: Term): Read => {
  switch (term.kind) {
    case "path":
      return readPath(term.path);
    case "value":
      return readValue(term.placeholder);
    case "if_not_exists": {
      const present = readPath(term.path);
      const otherwise = readTerm(term.otherwise);
      return (item, values) => present(item, values) ?? otherwise(item, values);
    }
    default:
      return unreachable(term);
  }
};

const written = (path: Path): string => path.join(".");

const existing = (value: AttributeValue | undefined, path: Path): AttributeValue => {
  if (value !== undefined) return value;
  throw new TableRequestError(`The value for ${written(path)} comes from an attribute that the item does not have`);
};

const numeric = (value: AttributeValue, path: Path): number => {
  if (typeof value === "number") return value;
  throw new TableRequestError(`Arithmetic for ${written(path)} takes numbers, got ${typeOf(value)}`);
};

type Container = Record<string | number, AttributeValue>;

const shallowCopy = (container: AttributeValue): Container =>
  (Array.isArray(container) ? Array.from<AttributeValue>(container) : Object.assign({}, container)) as Container;

/** The container at the end of `steps`, copied on the way down so that the old item keeps its own. */
const descend = (next: Record<string, AttributeValue>, path: Path): Container => {
  let container: Container = next;
  for (const [depth, key] of path.slice(0, -1).entries()) {
    const inner = step(container, key);
    if (typeof inner !== "object" || Array.isArray(inner) !== (typeof path[depth + 1] === "number")) {
      throw new TableRequestError(`The document path ${written(path)} does not lead anywhere in the item`);
    }
    const copy = shallowCopy(inner);
    container[key] = copy as AttributeValue;
    container = copy;
  }
  return container;
};

const last = (path: Path): string | number => path[path.length - 1] as string | number;

const put = (next: Record<string, AttributeValue>, path: Path, value: AttributeValue): void => {
  const container = descend(next, path);
  const key = last(path);
  // A position beyond the end of a list means the next free one.
  if (Array.isArray(container) && Number(key) >= container.length) container.push(value);
  else container[key] = value;
};

const change = (action: Action): Change => {
  const { path } = action;
  switch (action.kind) {
    case "set": {
      const read = readTerm(action.value);
      if (!("sign" in action)) return (next, item, values) => put(next, path, existing(read(item, values), path));
      const operand = readTerm(action.operand);
      return (next, item, values) => {
        const base = numeric(existing(read(item, values), path), path);
        put(next, path, base + action.sign * numeric(existing(operand(item, values), path), path));
      };
    }
    case "remove":
      return (next) => {
        const container = descend(next, path);
        if (Array.isArray(container)) container.splice(Number(last(path)), 1);
        else delete container[last(path)];
      };
    case "add": {
      if (path.length > 1) throw new TableRequestError(`ADD takes a top-level attribute, got ${written(path)}`);
      const read = readPath(path);
      return (next, item, values) => {
        const sum = numeric(values[action.placeholder] as AttributeValue, path);
        put(next, path, numeric(read(item, values) ?? 0, path) + sum);
      };
    }
    default:
      return unreachable(action);
  }
};

/** What a request may consist of. */
interface Expressions {
  readonly update?: string;
  readonly condition?: string;
  readonly names?: Names;
}

interface Cached extends Compiled {
  readonly names: Names;
  readonly usedValues: ReadonlySet<string>;
}

const NO_NAMES: Names = {};
const cache = new Compilations<Cached>();

const refuseUnusedNames = (names: Names, used: ReadonlySet<string>): void => {
  for (const name of Object.keys(names)) {
    if (!used.has(name)) throw new TableRequestError(`The name ${name} is given and not used in any expression`);
  }
};

const checkValues = (given: Values, used: ReadonlySet<string>): void => {
  const names = Object.keys(given);
  for (const name of names) {
    if (!used.has(name)) throw new TableRequestError(`The value ${name} is given and not used in any expression`);
    const bad = unstorable(given[name]);
    if (bad !== undefined) throw new TableRequestError(`The value ${name} can not be stored: ${bad}`);
  }
  if (names.length === used.size) return;
  const missing = [...used].find((name) => !Object.hasOwn(given, name));
  throw new TableRequestError(`The value ${missing} is used and not given`);
};

/** The removal of a whole attribute, and not of something in one. */
const isRemovedWhole = ({ kind, path }: Action): boolean => kind === "remove" && path.length === 1;

/** A copy without some of the attributes: an object that properties are deleted from is slow ever after. */
const without = (item: Item, removed: ReadonlySet<string>): Record<string, AttributeValue> => {
  const next: Record<string, AttributeValue> = {};
  for (const name of Object.keys(item)) if (!removed.has(name)) next[name] = item[name] as AttributeValue;
  return next;
};

const build = ({ update, condition, names = NO_NAMES }: Expressions): Cached => {
  const parsedUpdate = update === undefined ? undefined : parseUpdate(update, names);
  const parsedCondition = condition === undefined ? undefined : parseCondition(condition, names);
  const parsed = [parsedUpdate, parsedCondition].filter((part) => part !== undefined);
  refuseUnusedNames(names, new Set(parsed.flatMap((part) => [...part.usedNames])));
  const actions = parsedUpdate?.tree ?? [];
  const removed = new Set(actions.filter(isRemovedWhole).map(({ path }) => path[0]));
  const changes = actions.filter((action) => !isRemovedWhole(action)).map(change);
  return {
    names: { ...names },
    usedValues: new Set(parsed.flatMap((part) => [...part.usedValues])),
    touched: new Set(parsedUpdate?.tree.map(({ path }) => path[0])),
    holds: parsedCondition === undefined ? () => true : test(parsedCondition.tree),
    apply: (item, values) => {
      // Every right-hand side sees the item as it was, whatever the order of the actions.
      const next = removed.size === 0 ? { ...item } : without(item, removed);
      for (const apply of changes) apply(next, item, values);
      return next;
    },
  };
};

/**
 * Compiles the expressions of one write and checks its placeholders, as DynamoDB does before it looks at the item.
 * @throws TableRequestError
 */
export const compile = (expressions: Expressions, values: Values = {}): Compiled => {
  const { update = "", condition = "", names = NO_NAMES } = expressions;
  const compiled = cache.get(update, condition, names, () => build(expressions));
  checkValues(values, compiled.usedValues);
  return compiled;
};

/** A key condition, ready to run: the one partition it names, and which sort keys it wants. */
export interface CompiledKeyCondition {
  partition(values: Values): AttributeValue;
  wants(item: Item, values: Values): boolean;
}

interface CachedKeyCondition extends CompiledKeyCondition {
  readonly names: Names;
  readonly usedValues: ReadonlySet<string>;
}

const keyConditions = new Compilations<CachedKeyCondition>();

const conjuncts = (condition: Condition): readonly Condition[] =>
  condition.kind === "and" ? [...conjuncts(condition.left), ...conjuncts(condition.right)] : [condition];

const attributeOf = (condition: Condition): string | undefined => {
  const operand =
    condition.kind === "compare"
      ? condition.left
      : condition.kind === "between" || condition.kind === "begins_with"
        ? condition.operand
        : undefined;
  return operand?.kind === "path" && operand.path.length === 1 ? operand.path[0] : undefined;
};

const buildKeyCondition = (text: string, names: Names, pk: string, sk: string): CachedKeyCondition => {
  const { tree, usedNames, usedValues } = parseCondition(text, names);
  refuseUnusedNames(names, usedNames);
  const parts = conjuncts(tree);
  const partition = parts.find((part) => attributeOf(part) === pk);
  const rest = parts.filter((part) => part !== partition);
  const [sort] = rest;
  const valid =
    partition?.kind === "compare" &&
    partition.comparator === "=" &&
    partition.right.kind === "value" &&
    rest.length <= 1 &&
    (sort === undefined || (attributeOf(sort) === sk && !(sort.kind === "compare" && sort.comparator === "<>")));
  if (!valid) {
    throw new TableRequestError(
      `A key condition is "${pk} = :value", with at most one on "${sk}" beside it; got: ${text}`,
    );
  }
  const { placeholder } = partition.right;
  return {
    names: { ...names },
    usedValues,
    partition: (values) => values[placeholder] as AttributeValue,
    wants: sort === undefined ? () => true : test(sort),
  };
};

/**
 * Compiles a query's key condition for a table or index whose keys are `pk` and `sk`.
 * @throws TableRequestError
 */
export const compileKeyCondition = (
  text: string,
  keys: { readonly pk: string; readonly sk: string },
  names: Names,
  values: Values,
): CompiledKeyCondition => {
  const compiled = keyConditions.get(text, `${keys.pk}\n${keys.sk}`, names, () =>
    buildKeyCondition(text, names, keys.pk, keys.sk),
  );
  checkValues(values, compiled.usedValues);
  return compiled;
};
