import { Buffer } from "node:buffer";
import { GeoError } from "./errors.ts";
import { findKeyProblem, percentEncode, quoted } from "./key-codec.ts";

/**
 * Key patterns tie S3 keys to records: `namespace_uploads/{namespace_id}/{id}/{filename+}`.
 *
 * A pattern is a path. In each of its segments stands text, a `{name}`, or both, as in `v{version}.tfstate`. A `{name}`
 * takes one or more characters other than a slash. A `{name+}`, alone and last, takes the whole rest of the key, slashes
 * included. One placeholder is called `id`, the record's id on the primary.
 *
 * **The model record id** is everything that the pattern captures, in the pattern's order, each part percent-encoded,
 * joined by slashes: `7/42/a%20b.png`. The `{id}` alone would not do: two file names under one id are two objects and need
 * two registry rows. In this form keys that match and ids are one to one, so an id leads back to its key without a
 * look-up (`keyOfRecord`). What was captured as `{id}` is in `attributes.id`.
 */

/**
 * The longest pattern, in bytes. Two patterns together fill less than half of a key, so the room that a key has
 * never decides whether they overlap.
 */
export const KEY_PATTERN_BYTES_MAX = 255;

/** One segment of a pattern; a capture may have text around it. */
export type KeySegment =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "capture"; readonly name: string; readonly prefix: string; readonly suffix: string };

export interface KeyPattern {
  /** As it was declared. */
  readonly text: string;
  /** Everything that is wrong with it, for people. A pattern with a problem matches nothing. */
  readonly problems: readonly string[];
  readonly segments: readonly KeySegment[];
  /** Name of the placeholder that takes the rest, if there is one. */
  readonly rest?: string;
  /** Names of all placeholders, in order. */
  readonly placeholders: readonly string[];
  /** Every key that matches starts with this text; for listing a bucket. */
  readonly literalPrefix: string;
}

/** The pattern of a type that has no place of its own: no key is of it, and it overlaps none. */
export const NO_KEYS: KeyPattern = {
  text: "",
  problems: ["it has no keys"],
  segments: [],
  placeholders: [],
  literalPrefix: "",
};

/** What a pattern finds in a key. */
export interface KeyMatch {
  /** One to one with the key; opaque to everybody else. Printable ASCII. */
  readonly modelRecordId: string;
  /** What each placeholder captured, as it stands in the key. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** Reads a pattern. Never throws: what is wrong is in `problems`, all of it. */
export const parseKeyPattern = (text: string): KeyPattern => {
  const parsed = text.split("/").map(parseSegment);
  const segments = parsed.flatMap((part) => (part.kind === "text" || part.kind === "capture" ? [part] : []));
  const rests = parsed.flatMap((part) => (part.kind === "rest" ? [part.name] : []));
  const placeholders = parsed.flatMap((part) => (part.kind === "capture" || part.kind === "rest" ? [part.name] : []));
  const problems = [
    ...findTextProblems(text),
    ...parsed.flatMap((part) => (part.kind === "problem" ? [part.problem] : [])),
    ...parsed
      .slice(0, -1)
      .flatMap((part) => (part.kind === "rest" ? [`{${part.name}+} takes the rest, so it must be last`] : [])),
    ...duplicates(placeholders).map((name) => `{${name}} stands in it twice`),
    ...(placeholders.includes("id") ? [] : ["it has no {id}, the placeholder for the record's id"]),
  ];
  const rest = rests[0];
  return {
    text,
    problems,
    segments,
    ...(rest === undefined ? {} : { rest }),
    placeholders,
    literalPrefix: text.replace(/\{.*$/s, ""),
  };
};

type ParsedSegment =
  | KeySegment
  | { readonly kind: "rest"; readonly name: string }
  | { readonly kind: "problem"; readonly problem: string };

const unreadable = (problem: string): ParsedSegment => ({ kind: "problem", problem });

const parseSegment = (segment: string): ParsedSegment => {
  if (segment === "") return unreadable("it has an empty segment: no slash at either end, no two in a row");
  if (segment.includes("*"))
    return unreadable(`${quoted(segment)} has a wildcard; expected {name} for a segment or {name+} for the rest`);
  if (!/[{}]/.test(segment)) return { kind: "text", text: segment };

  const braces = /^(?<prefix>[^{}]*)\{(?<inside>[^{}]*)\}(?<suffix>[^{}]*)$/s.exec(segment)?.groups;
  if (braces === undefined)
    return unreadable(
      `${quoted(segment)} can not be read; expected at most one {name} between two slashes, braces in pairs`,
    );
  const { prefix = "", inside = "", suffix = "" } = braces;
  const [name, takesRest] = inside.endsWith("+") ? [inside.slice(0, -1), true] : [inside, false];
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(name))
    return unreadable(
      `${quoted(`{${inside}}`)} is not a placeholder; expected {name} or {name+}, the name in snake_case`,
    );
  if (!takesRest) return { kind: "capture", name, prefix, suffix };
  return prefix === "" && suffix === ""
    ? { kind: "rest", name }
    : unreadable(`${quoted(segment)} has text beside {${name}+}, which must stand alone in its segment`);
};

const findTextProblems = (text: string): string[] => [
  ...(Buffer.byteLength(text, "utf8") > KEY_PATTERN_BYTES_MAX
    ? [`it is ${String(Buffer.byteLength(text, "utf8"))} bytes long, expected at most ${String(KEY_PATTERN_BYTES_MAX)}`]
    : []),
  ...(text.isWellFormed() ? [] : ["it holds a lone surrogate, so it has no UTF-8 form"]),
  ...(/\p{Cc}/u.test(text) ? ["it holds a control character"] : []),
];

const duplicates = (names: readonly string[]): string[] => [
  ...new Set(names.filter((name, index) => names.indexOf(name) !== index)),
];

/** What `pattern` finds in `key`, or `undefined` when the key is not one of its own. Linear in the key's length. */
export const matchKeyPattern = (pattern: KeyPattern, key: string): KeyMatch | undefined => {
  if (pattern.problems.length > 0 || findKeyProblem(key) !== undefined) return undefined;
  const captures: (readonly [name: string, captured: string])[] = [];
  let start = 0;
  for (const [index, segment] of pattern.segments.entries()) {
    const slash = key.indexOf("/", start);
    const isLast = pattern.rest === undefined && index === pattern.segments.length - 1;
    if (isLast !== (slash === -1)) return undefined;
    const part = isLast ? key.slice(start) : key.slice(start, slash);
    if (segment.kind === "text") {
      if (part !== segment.text) return undefined;
    } else {
      const captured = capture(segment, part);
      if (captured === undefined) return undefined;
      captures.push([segment.name, captured]);
    }
    start = slash + 1;
  }
  if (pattern.rest !== undefined) {
    if (start === key.length) return undefined;
    captures.push([pattern.rest, key.slice(start)]);
  }
  return {
    modelRecordId: captures.map(([, captured]) => percentEncode(captured)).join("/"),
    attributes: Object.fromEntries(captures),
  };
};

const capture = (segment: KeySegment & { readonly kind: "capture" }, part: string): string | undefined =>
  part.length > segment.prefix.length + segment.suffix.length &&
  part.startsWith(segment.prefix) &&
  part.endsWith(segment.suffix)
    ? part.slice(segment.prefix.length, part.length - segment.suffix.length)
    : undefined;

/**
 * The key with these attributes, the inverse of `matchKeyPattern`.
 * @throws GeoError GEO_INVALID_KEY when an attribute is missing, unknown, empty, or would not be found again in the key
 */
export const buildKey = (pattern: KeyPattern, attributes: Readonly<Record<string, string>>): string => {
  const built = tryToBuildKey(pattern, attributes);
  if ("key" in built) return built.key;
  throw new GeoError("GEO_INVALID_KEY", `no key of ${quoted(pattern.text)} can be built: ${built.problem}`);
};

const missing = (name: string) => ({ problem: `{${name}} is missing or empty` });

const tryToBuildKey = (
  pattern: KeyPattern,
  attributes: Readonly<Record<string, string>>,
): { readonly key: string } | { readonly problem: string } => {
  if (pattern.problems.length > 0) return { problem: pattern.problems.join("; ") };
  const unknown = Object.keys(attributes).find((name) => !pattern.placeholders.includes(name));
  if (unknown !== undefined) return { problem: `it has no {${unknown}}, expected ${pattern.placeholders.join(", ")}` };
  const values = new Map(Object.entries(attributes).filter(([, value]) => value !== ""));
  const parts: string[] = [];
  for (const segment of pattern.segments) {
    if (segment.kind === "text") {
      parts.push(segment.text);
    } else {
      const value = values.get(segment.name);
      if (value === undefined) return missing(segment.name);
      if (value.includes("/")) return { problem: `{${segment.name}} takes no slash, and is ${quoted(value)}` };
      parts.push(segment.prefix + value + segment.suffix);
    }
  }
  if (pattern.rest !== undefined) {
    const rest = values.get(pattern.rest);
    if (rest === undefined) return missing(pattern.rest);
    parts.push(rest);
  }
  const key = parts.join("/");
  const problem = findKeyProblem(key);
  return problem === undefined ? { key } : { problem };
};

/** The key whose model record id is `modelRecordId`, or `undefined` when there is none. */
export const keyOfRecord = (pattern: KeyPattern, modelRecordId: string): string | undefined => {
  const parts = modelRecordId.split("/");
  const values = pattern.placeholders.map((name, index) => [
    name,
    decoded(name === pattern.rest ? parts.slice(index).join("/") : parts[index]),
  ]);
  const built = tryToBuildKey(pattern, Object.fromEntries(values) as Record<string, string>);
  if ("problem" in built) return undefined;
  // Another spelling of an id is no id: ids and keys stay one to one.
  return matchKeyPattern(pattern, built.key)?.modelRecordId === modelRecordId ? built.key : undefined;
};

const decoded = (part: string | undefined): string => {
  try {
    return decodeURIComponent(part ?? "");
  } catch {
    return "";
  }
};

/**
 * Whether some key matches both patterns. Exact: two types that could claim one key are refused (R33), two that can not are
 * never refused.
 */
export const patternsOverlap = (a: KeyPattern, b: KeyPattern): boolean => {
  if (a.problems.length > 0 || b.problems.length > 0) return false;
  const common = Math.min(a.segments.length, b.segments.length);
  for (let index = 0; index < common; index += 1) {
    const [left, right] = [a.segments[index], b.segments[index]];
    if (left !== undefined && right !== undefined && !segmentsOverlap(left, right)) return false;
  }
  // What is left over on one side must fit into the other's rest. A rest is never empty, but else takes anything.
  if (a.segments.length === b.segments.length) return (a.rest === undefined) === (b.rest === undefined);
  const shorter = a.segments.length < b.segments.length ? a : b;
  return shorter.rest !== undefined;
};

const segmentsOverlap = (a: KeySegment, b: KeySegment): boolean => {
  if (a.kind === "text") return b.kind === "text" ? a.text === b.text : capture(b, a.text) !== undefined;
  if (b.kind === "text") return capture(a, b.text) !== undefined;
  // The longer prefix, any character and the longer suffix make a text that both take.
  const prefixesAgree = a.prefix.startsWith(b.prefix) || b.prefix.startsWith(a.prefix);
  const suffixesAgree = a.suffix.endsWith(b.suffix) || b.suffix.endsWith(a.suffix);
  return prefixesAgree && suffixesAgree;
};
