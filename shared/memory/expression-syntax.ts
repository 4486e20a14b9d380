import { TableRequestError } from "../geo/errors.ts";
import { RESERVED_WORDS } from "./reserved-words.ts";

/** A document path with its placeholders resolved: `["mpu", "parts", 0]`. */
export type Path = readonly [string, ...(string | number)[]];

const COMPARATORS = ["=", "<>", "<", "<=", ">", ">="] as const;
export type Comparator = (typeof COMPARATORS)[number];

export type Operand =
  | { readonly kind: "path"; readonly path: Path }
  | { readonly kind: "value"; readonly placeholder: string }
  | { readonly kind: "size"; readonly path: Path };

export type Condition =
  | { readonly kind: "compare"; readonly comparator: Comparator; readonly left: Operand; readonly right: Operand }
  | { readonly kind: "between"; readonly operand: Operand; readonly low: Operand; readonly high: Operand }
  | { readonly kind: "in"; readonly operand: Operand; readonly choices: readonly Operand[] }
  | { readonly kind: "and" | "or"; readonly left: Condition; readonly right: Condition }
  | { readonly kind: "not"; readonly inner: Condition }
  | { readonly kind: "exists"; readonly path: Path; readonly wanted: boolean }
  | { readonly kind: "begins_with" | "contains"; readonly operand: Operand; readonly part: Operand };

export type Term =
  | { readonly kind: "path"; readonly path: Path }
  | { readonly kind: "value"; readonly placeholder: string }
  | { readonly kind: "if_not_exists"; readonly path: Path; readonly otherwise: Term };

export type Action =
  | { readonly kind: "set"; readonly path: Path; readonly value: Term }
  | { readonly kind: "set"; readonly path: Path; readonly value: Term; readonly sign: 1 | -1; readonly operand: Term }
  | { readonly kind: "remove"; readonly path: Path }
  | { readonly kind: "add"; readonly path: Path; readonly placeholder: string };

/** What was parsed, with every placeholder that it used. */
export interface Parsed<Tree> {
  readonly tree: Tree;
  readonly usedNames: ReadonlySet<string>;
  readonly usedValues: ReadonlySet<string>;
}

/** The `#name` placeholders of a request. */
export type Names = Readonly<Record<string, string>>;

const TOKEN = /\s*(#\w+|:\w+|[A-Za-z]\w*|\d+|<>|<=|>=|[-=<>(),.+[\]])/y;

const tokenize = (text: string): readonly string[] => {
  const tokens: string[] = [];
  const source = text.trimEnd();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < source.length) {
    const at = TOKEN.lastIndex;
    const token = TOKEN.exec(source)?.[1];
    if (token === undefined) {
      throw new TableRequestError(`Expected an expression, got "${source.slice(at, at + 20)}" in: ${text}`);
    }
    tokens.push(token);
  }
  return tokens;
};

/** Reads one expression from left to right; each `read…` method takes what it names and leaves the rest. */
class Reader {
  readonly usedNames = new Set<string>();
  readonly usedValues = new Set<string>();
  readonly #text: string;
  readonly #tokens: readonly string[];
  readonly #names: Names;
  #at = 0;

  constructor(text: string, names: Names) {
    this.#text = text;
    this.#tokens = tokenize(text);
    this.#names = names;
  }

  get done(): boolean {
    return this.#at >= this.#tokens.length;
  }

  fail(expected: string): never {
    const found = this.#tokens[this.#at] ?? "the end";
    throw new TableRequestError(`Expected ${expected}, got "${found}" in: ${this.#text}`);
  }

  #peek(offset = 0): string {
    return this.#tokens[this.#at + offset] ?? "";
  }

  /** Takes `word` (keywords in any case) if it comes next. */
  takes(word: string): boolean {
    if (this.#peek().toUpperCase() !== word) return false;
    this.#at += 1;
    return true;
  }

  #expects(word: string): void {
    if (!this.takes(word)) this.fail(`"${word}"`);
  }

  /** Takes `name(` if it comes next. Function names are lower case only. */
  #opensCall(name: string): boolean {
    if (this.#peek() !== name || this.#peek(1) !== "(") return false;
    this.#at += 2;
    return true;
  }

  #name(): string {
    const token = this.#peek();
    if (token.startsWith("#")) {
      const name = Object.hasOwn(this.#names, token) ? this.#names[token] : undefined;
      if (name === undefined) throw new TableRequestError(`The name ${token} is used and not given in: ${this.#text}`);
      this.usedNames.add(token);
      this.#at += 1;
      return name;
    }
    if (!/^[A-Za-z]/.test(token)) this.fail("an attribute name");
    if (RESERVED_WORDS.has(token.toUpperCase())) {
      throw new TableRequestError(`"${token}" is a reserved word of DynamoDB: write #${token} in: ${this.#text}`);
    }
    this.#at += 1;
    return token;
  }

  readPath(): Path {
    const path: [string, ...(string | number)[]] = [this.#name()];
    for (;;) {
      if (this.takes(".")) path.push(this.#name());
      else if (this.takes("[")) {
        if (!/^\d+$/.test(this.#peek())) this.fail("a list position");
        path.push(Number(this.#peek()));
        this.#at += 1;
        this.#expects("]");
      } else return path;
    }
  }

  readPlaceholder(): string {
    const token = this.#peek();
    if (!token.startsWith(":")) this.fail("a :value");
    this.usedValues.add(token);
    this.#at += 1;
    return token;
  }

  #operand(): Operand {
    if (this.#peek().startsWith(":")) return { kind: "value", placeholder: this.readPlaceholder() };
    if (this.#opensCall("size")) {
      const path = this.readPath();
      this.#expects(")");
      return { kind: "size", path };
    }
    return { kind: "path", path: this.readPath() };
  }

  readCondition(): Condition {
    let left = this.#conjunction();
    while (this.takes("OR")) left = { kind: "or", left, right: this.#conjunction() };
    return left;
  }

  #conjunction(): Condition {
    let left = this.#negation();
    while (this.takes("AND")) left = { kind: "and", left, right: this.#negation() };
    return left;
  }

  #negation(): Condition {
    return this.takes("NOT") ? { kind: "not", inner: this.#negation() } : this.#primary();
  }

  #primary(): Condition {
    if (this.takes("(")) {
      const doubled = this.#peek() === "(";
      const from = this.#at;
      const inner = this.readCondition();
      // DynamoDB refuses `((a = :b))`; so do we, or an expression that is tested here would be refused there.
      if (doubled && this.#closes(from) === this.#at - 1 && this.#peek() === ")") {
        throw new TableRequestError(`Redundant parentheses in: ${this.#text}`);
      }
      this.#expects(")");
      return inner;
    }
    for (const wanted of [true, false]) {
      if (this.#opensCall(wanted ? "attribute_exists" : "attribute_not_exists")) {
        const path = this.readPath();
        this.#expects(")");
        return { kind: "exists", path, wanted };
      }
    }
    for (const kind of ["begins_with", "contains"] as const) {
      if (this.#opensCall(kind)) {
        const operand = this.#operand();
        this.#expects(",");
        const part = this.#operand();
        this.#expects(")");
        return { kind, operand, part };
      }
    }
    return this.#comparison();
  }

  /** Where the parenthesis that opens at `from` closes. */
  #closes(from: number): number {
    let depth = 0;
    for (let at = from; at < this.#tokens.length; at += 1) {
      if (this.#tokens[at] === "(") depth += 1;
      if (this.#tokens[at] === ")") depth -= 1;
      if (depth === 0) return at;
    }
    return -1;
  }

  #comparison(): Condition {
    const operand = this.#operand();
    if (this.takes("BETWEEN")) {
      const low = this.#operand();
      this.#expects("AND");
      return { kind: "between", operand, low, high: this.#operand() };
    }
    if (this.takes("IN")) {
      this.#expects("(");
      const choices = [this.#operand()];
      while (this.takes(",")) choices.push(this.#operand());
      this.#expects(")");
      return { kind: "in", operand, choices };
    }
    const comparator = COMPARATORS.find((candidate) => this.takes(candidate));
    if (comparator === undefined) return this.fail("a comparison");
    return { kind: "compare", comparator, left: operand, right: this.#operand() };
  }

  #term(): Term {
    if (this.#peek().startsWith(":")) return { kind: "value", placeholder: this.readPlaceholder() };
    if (this.#opensCall("if_not_exists")) {
      const path = this.readPath();
      this.#expects(",");
      const otherwise = this.#term();
      this.#expects(")");
      return { kind: "if_not_exists", path, otherwise };
    }
    return { kind: "path", path: this.readPath() };
  }

  readAssignment(): Action {
    const path = this.readPath();
    this.#expects("=");
    const value = this.#term();
    if (this.takes("+")) return { kind: "set", path, value, sign: 1, operand: this.#term() };
    if (this.takes("-")) return { kind: "set", path, value, sign: -1, operand: this.#term() };
    return { kind: "set", path, value };
  }
}

const startsWith = (path: Path, prefix: Path): boolean => prefix.every((step, index) => path[index] === step);

const refuseOverlaps = (actions: readonly Action[], text: string): void => {
  for (const [index, { path }] of actions.entries()) {
    for (const other of actions.slice(index + 1)) {
      if (startsWith(path, other.path) || startsWith(other.path, path)) {
        throw new TableRequestError(`${path.join(".")} and ${other.path.join(".")} overlap in: ${text}`);
      }
    }
  }
};

/**
 * Parses a condition.
 * @throws TableRequestError on anything that DynamoDB would refuse before looking at an item.
 */
export const parseCondition = (text: string, names: Names): Parsed<Condition> => {
  const reader = new Reader(text, names);
  const tree = reader.readCondition();
  if (!reader.done) reader.fail("the end of the condition");
  return { tree, usedNames: reader.usedNames, usedValues: reader.usedValues };
};

/**
 * Parses `SET … REMOVE … ADD …`, each clause at most once. `DELETE` and `list_append` are not part of it: the product
 * keeps no sets and grows no lists.
 * @throws TableRequestError on anything that DynamoDB would refuse before looking at an item.
 */
export const parseUpdate = (text: string, names: Names): Parsed<readonly Action[]> => {
  const reader = new Reader(text, names);
  const clauses: Readonly<Record<string, () => Action>> = {
    SET: () => reader.readAssignment(),
    REMOVE: () => ({ kind: "remove", path: reader.readPath() }),
    ADD: () => ({ kind: "add", path: reader.readPath(), placeholder: reader.readPlaceholder() }),
  };
  const actions: Action[] = [];
  const seen = new Set<string>();
  do {
    const clause = Object.keys(clauses).find((word) => reader.takes(word));
    const read = clause === undefined ? undefined : clauses[clause];
    if (clause === undefined || read === undefined) return reader.fail("SET, REMOVE or ADD");
    if (seen.has(clause)) throw new TableRequestError(`${clause} stands twice in: ${text}`);
    seen.add(clause);
    do actions.push(read());
    while (reader.takes(","));
  } while (!reader.done);
  refuseOverlaps(actions, text);
  return { tree: actions, usedNames: reader.usedNames, usedValues: reader.usedValues };
};
