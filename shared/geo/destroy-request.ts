import { Buffer } from "node:buffer";
import { DESTROY_LIMITS, type DestroyParent } from "./destroy.ts";
import { findKeyProblem, quoted } from "./key-codec.ts";
import { compareUtf8 } from "./utf8-order.ts";

/** What a caller wants destroyed: of which types, and whose. */
export interface DestroyRequest {
  /** Undefined for every type. */
  readonly replicableName: string | undefined;
  readonly parent: DestroyParent;
}

/** The fields that name a parent: exactly one of them has to be there. */
const PARENT_FIELDS = ["namespace_id", "project_id", "organization_id", "prefix", "keys"] as const;
type ParentField = (typeof PARENT_FIELDS)[number];

const EXPECTED = `expected exactly one of ${PARENT_FIELDS.join(", ")}`;

/** One id as it may stand in a key and in metadata. */
const ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** How much of a wrong value is shown. */
const SHOWN_LENGTH_MAX = 100;

const shown = (value: unknown): string => (JSON.stringify(value) ?? "nothing").slice(0, SHOWN_LENGTH_MAX);

const OWNERS = { namespace_id: "namespace", project_id: "project", organization_id: "organization" } as const;

const readKeys = (value: unknown): DestroyParent | string => {
  if (!Array.isArray(value) || value.length === 0 || value.length > DESTROY_LIMITS.keys) {
    return `keys: expected a list of 1 to ${DESTROY_LIMITS.keys} keys, got ${shown(value)}`;
  }
  const wrong = value.find((key) => typeof key !== "string" || findKeyProblem(key) !== undefined);
  if (wrong !== undefined) return `keys: ${quoted(String(wrong))} is no key of an object`;
  const keys = [...new Set(value.map(String))].sort(compareUtf8);
  const bytes = keys.reduce((sum, key) => sum + Buffer.byteLength(key, "utf8"), 0);
  return bytes > DESTROY_LIMITS.keysBytes
    ? `keys: expected at most ${DESTROY_LIMITS.keysBytes} bytes together, got ${bytes}; destroy a part of them, or a prefix`
    : { kind: "keys", keys };
};

const readParent = (field: ParentField, value: unknown): DestroyParent | string => {
  if (field === "keys") return readKeys(value);
  if (field === "prefix") {
    return typeof value === "string" && findKeyProblem(value) === undefined
      ? { kind: "prefix", prefix: value }
      : `prefix: expected the beginning of a key, 1 to 1,024 bytes, got ${shown(value)}`;
  }
  const id = typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? String(value) : value;
  return typeof id === "string" && ID.test(id)
    ? { kind: OWNERS[field], id }
    : `${field}: expected an id such as 42, got ${shown(value)}`;
};

/**
 * Reads what is to be destroyed from parsed JSON. Everything that is wrong with it is named together.
 * @param replicableNames of the types that there are
 */
export const parseDestroyRequest = (
  input: unknown,
  replicableNames: readonly string[],
): { readonly request: DestroyRequest } | { readonly problems: readonly string[] } => {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    return { problems: [`body: expected an object such as {"namespace_id": 42}, got ${shown(input)}`] };
  }
  const sent: Readonly<Record<string, unknown>> = { ...input };
  const problems: string[] = [];
  const unknown = Object.keys(sent).filter(
    (name) => ![...PARENT_FIELDS, "replicable_name"].some((one) => one === name),
  );
  if (unknown.length > 0) {
    problems.push(
      `there is no field ${unknown.join(", ").slice(0, SHOWN_LENGTH_MAX)}; ${EXPECTED}, and replicable_name`,
    );
  }
  const { replicable_name: name } = sent;
  const replicableName = typeof name === "string" ? name : undefined;
  if (name !== undefined && name !== null && !replicableNames.some((one) => one === name)) {
    problems.push(`replicable_name: expected one of ${replicableNames.join(", ")}, got ${shown(name)}`);
  }
  const fields = PARENT_FIELDS.filter((field) => sent[field] !== undefined);
  const [field] = fields;
  if (field === undefined || fields.length > 1) {
    problems.push(`${EXPECTED}, got ${fields.length === 0 ? "none" : fields.join(", ")}`);
    return { problems };
  }
  const parent = readParent(field, sent[field]);
  if (typeof parent === "string") problems.push(parent);
  return problems.length > 0 || typeof parent === "string" ? { problems } : { request: { replicableName, parent } };
};

/** Reads the number of objects that a caller has seen and confirms. */
export const parseConfirmation = (input: unknown): { readonly count: number } | { readonly problem: string } => {
  const count: unknown = typeof input === "object" && input !== null ? Reflect.get(input, "object_count") : undefined;
  return typeof count === "number" && Number.isSafeInteger(count) && count > 0
    ? { count }
    : { problem: `object_count: expected the number of objects that the dry run showed, got ${shown(count)}` };
};
