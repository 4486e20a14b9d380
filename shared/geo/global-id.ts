import { Buffer } from "node:buffer";
import { findKeyProblem, KEY_BYTES_MAX, quoted } from "./key-codec.ts";

/**
 * Global ids of registries, in GitLab's form: `gid://geo/CoolWidgetRegistry/Y29vbF93aWRnZXRz…`. The last part is opaque to
 * everybody else; here it is the S3 key, since that is what a row is found by. An id grants nothing: whoever makes one up
 * has asked for a row by its key.
 */

/** What a global id names. */
export interface GlobalId {
  /** The class of the registry, `CoolWidgetRegistry`. */
  readonly registryClass: string;
  /** The S3 key. */
  readonly key: string;
}

/** The longest part for a key: every three bytes become four characters. */
const OPAQUE_LENGTH_MAX = Math.ceil((KEY_BYTES_MAX * 4) / 3);

const GLOBAL_ID = new RegExp(
  `^gid://geo/(?<registryClass>[A-Za-z0-9]{1,128})/(?<opaque>[A-Za-z0-9_-]{1,${OPAQUE_LENGTH_MAX}})$`,
);

/** The global id of a row. */
export const globalId = ({ registryClass, key }: GlobalId): string =>
  `gid://geo/${registryClass}/${Buffer.from(key, "utf8").toString("base64url")}`;

/**
 * What a global id names, or what is wrong with it, in words. Only the spelling of `globalId` itself is taken, so that a
 * row has one id. Whether there is such a class, and such a row, is for the caller to find out.
 */
export const parseGlobalId = (text: string): GlobalId | { readonly problem: string } => {
  const { registryClass, opaque } = GLOBAL_ID.exec(text)?.groups ?? {};
  if (registryClass === undefined || opaque === undefined) {
    return { problem: `expected a registry's id such as gid://geo/CoolWidgetRegistry/…, got ${quoted(text)}` };
  }
  const key = Buffer.from(opaque, "base64url").toString("utf8");
  const isOurs = findKeyProblem(key) === undefined && globalId({ registryClass, key }) === text;
  return isOurs ? { registryClass, key } : { problem: `${quoted(text)} is no id that this API has handed out` };
};
