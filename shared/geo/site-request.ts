import { SETTABLE } from "./settings-request.ts";
import { siteId } from "./site-status.ts";

/**
 * What an operator notes of a site at the primary: Geo's name, url, internal_url, primary and enabled, with Geo's rules and
 * its messages. Pure.
 */

/** What is wrong, by field, as GitLab says it: `{"name": ["has already been taken"]}`. */
export type FieldErrors = Readonly<Record<string, readonly string[]>>;

/** A site as the rules here know it. */
export interface NotedSite {
  readonly name: string;
}

export const SITE_NAME_LENGTH_MAX = 255;
/** As long as a URL may be in most of the software that it is given to. */
const URL_LENGTH_MAX = 2_048;

const SHOWN_LENGTH_MAX = 100;
const SHOWN_NAMES_MAX = 10;

const shown = (value: unknown): string => {
  const text = JSON.stringify(value);
  return text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}…` : text;
};

/** What an operator may note. */
export const NOTABLE = ["name", "url", "internal_url", "primary", "enabled"] as const;

/** Which of what was sent is noted at the primary; the rest are settings of the site itself. */
export const isNotable = (field: string): boolean => NOTABLE.some((one) => one === field);

type Sent = Readonly<Record<string, unknown>>;

class Errors {
  readonly #byField = new Map<string, string[]>();

  add(field: string, message: string): void {
    this.#byField.set(field, [...(this.#byField.get(field) ?? []), message]);
  }

  /** Takes a message down. What comes back stands for a text that could not be read: with an error nothing is made of it. */
  noText(field: string, message: string): string {
    this.add(field, message);
    return "";
  }

  get all(): FieldErrors | undefined {
    return this.#byField.size === 0 ? undefined : Object.fromEntries(this.#byField);
  }
}

/** Characters that no person sees, a line break among them. */
const UNSEEN = /\p{C}/u;

const isBlank = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === "string" && value.trim() === "");

const readName = (value: unknown, others: readonly NotedSite[], errors: Errors): string => {
  if (isBlank(value)) return errors.noText("name", "can't be blank");
  if (typeof value !== "string") return errors.noText("name", `is invalid: expected text, got ${shown(value)}`);
  const name = value.trim();
  if (name.length > SITE_NAME_LENGTH_MAX) {
    return errors.noText("name", `is too long (maximum is ${SITE_NAME_LENGTH_MAX} characters)`);
  }
  if (UNSEEN.test(name)) return errors.noText("name", "is invalid: it has characters that nobody sees");
  // Numbers are made of names: of two that share one, neither could be asked for.
  const isTaken = others.some(
    (other) => other.name.toLowerCase() === name.toLowerCase() || siteId(other.name) === siteId(name),
  );
  return isTaken ? errors.noText("name", "has already been taken") : name;
};

const readUrl = (field: "url" | "internal_url", value: unknown, errors: Errors): string => {
  if (typeof value !== "string")
    return errors.noText(field, `is invalid: expected an http or https URL, got ${shown(value)}`);
  const text = value.trim();
  if (text.length > URL_LENGTH_MAX)
    return errors.noText(field, `is too long (maximum is ${URL_LENGTH_MAX} characters)`);
  const url = URL.parse(text);
  if (url === null) return errors.noText(field, `is blocked: URI is invalid, got ${shown(value)}`);
  if (!/^https?:$/.test(url.protocol)) {
    return errors.noText(field, `is blocked: Only allowed schemes are http, https, got ${shown(value)}`);
  }
  // It would be told to everybody who may read.
  if (url.username !== "" || url.password !== "")
    return errors.noText(field, "is invalid: it names a user or a password");
  return text.replace(/\/+$/, "");
};

const readFlag = (field: "primary" | "enabled", value: unknown, errors: Errors): boolean => {
  if (typeof value === "boolean") return value;
  errors.add(field, `is invalid: expected true or false, got ${shown(value)}`);
  return false;
};

const refuseOthers = (sent: Sent, whereSettingsAre: string, errors: Errors): void => {
  const fields = Object.keys(sent).filter((field) => !isNotable(field));
  const settings = fields.filter((field) => SETTABLE.includes(field));
  for (const field of settings) errors.add(field, `is a setting of the site itself: ${whereSettingsAre}`);
  for (const field of fields.filter((one) => !settings.includes(one)).slice(0, SHOWN_NAMES_MAX)) {
    errors.add(field.slice(0, SHOWN_LENGTH_MAX), `is unknown: expected some of ${NOTABLE.join(", ")}`);
  }
};

const asObject = (input: unknown): Sent | undefined =>
  typeof input === "object" && input !== null && !Array.isArray(input) ? { ...input } : undefined;

/** A site that is to be noted. */
export interface NewSite {
  readonly name: string;
  readonly url: string;
  readonly internalUrl: string | undefined;
  readonly enabled: boolean;
}

export type Refused = { readonly problem: string } | { readonly errors: FieldErrors };

/**
 * Reads a site that is to be deployed. There is one primary, and it is the one that is asked.
 * @param others every site that there is, the primary included
 */
export const parseNewSite = (input: unknown, others: readonly NotedSite[]): { readonly site: NewSite } | Refused => {
  const sent = asObject(input);
  if (sent === undefined) {
    return { problem: `body: expected an object such as {"name": "tokyo", "url": "https://…"}, got ${shown(input)}` };
  }
  const errors = new Errors();
  refuseOthers(sent, "change it through the site's own API, once it is deployed", errors);
  const name = readName(sent["name"], others, errors);
  const url = isBlank(sent["url"]) ? errors.noText("url", "can't be blank") : readUrl("url", sent["url"], errors);
  const internal = sent["internal_url"];
  const internalUrl = isBlank(internal) ? undefined : readUrl("internal_url", internal, errors);
  const enabled = sent["enabled"] === undefined ? true : readFlag("enabled", sent["enabled"], errors);
  const primary = sent["primary"] === undefined ? false : readFlag("primary", sent["primary"], errors);
  if (primary) errors.add("primary", "node already exists");
  const { all } = errors;
  return all === undefined ? { site: { name, url, internalUrl, enabled } } : { errors: all };
};

/** A site that is to be changed, as its rules need it. */
export interface EditedSite extends NotedSite {
  readonly isPrimary: boolean;
  /** Whether it runs: then its name is part of the name of everything that it has. */
  readonly isDeployed: boolean;
  /** In words, where an operator changes its settings. */
  readonly settingsAre: string;
}

/** What is to be noted of a site; what is not named stays. */
export interface SiteEdit {
  /** Only of a site that is not deployed yet. */
  readonly name?: string;
  readonly url?: string;
  /** Empty: as its URL. */
  readonly internalUrl?: string;
  /** Only of a site that is not deployed yet, and of the primary, whose is always true. */
  readonly enabled?: boolean;
}

const editName = (value: unknown, edited: EditedSite, others: readonly NotedSite[], errors: Errors) => {
  if (value === undefined || value === edited.name) return {};
  const name = readName(value, others, errors);
  if (edited.isDeployed)
    errors.add("name", "is what the site was deployed as, and part of the name of all that it has");
  return { name };
};

const editEnabled = (value: unknown, { isPrimary, isDeployed, settingsAre }: EditedSite, errors: Errors) => {
  if (value === undefined) return {};
  const enabled = readFlag("enabled", value, errors);
  if (isPrimary && value === false) errors.add("enabled", "Geo primary node cannot be disabled");
  // Who is paused is for the site itself to know, whose functions read its own table.
  if (!isPrimary && isDeployed) errors.add("enabled", `is a setting of the site itself: ${settingsAre}`);
  return { enabled };
};

const checkPrimary = (value: unknown, { isPrimary }: EditedSite, errors: Errors): void => {
  if (value === undefined) return;
  const primary = readFlag("primary", value, errors);
  if (primary === isPrimary || typeof value !== "boolean") return;
  errors.add("primary", isPrimary ? "is what the site was deployed as" : "node already exists");
};

/**
 * Reads what is to be changed of what is noted of a site.
 * @param others every other site
 */
export const parseSiteEdit = (
  input: unknown,
  edited: EditedSite,
  others: readonly NotedSite[],
): { readonly edit: SiteEdit } | Refused => {
  const sent = asObject(input);
  if (sent === undefined || Object.keys(sent).length === 0) {
    return { problem: `body: expected an object with some of ${NOTABLE.join(", ")}, got ${shown(input)}` };
  }
  const errors = new Errors();
  refuseOthers(sent, edited.settingsAre, errors);
  checkPrimary(sent["primary"], edited, errors);
  const { url, internal_url: internal } = sent;
  const edit: SiteEdit = {
    ...editName(sent["name"], edited, others, errors),
    ...(url === undefined
      ? {}
      : { url: isBlank(url) ? errors.noText("url", "can't be blank") : readUrl("url", url, errors) }),
    ...(internal === undefined
      ? {}
      : { internalUrl: isBlank(internal) ? "" : readUrl("internal_url", internal, errors) }),
    ...editEnabled(sent["enabled"], edited, errors),
  };
  const { all } = errors;
  return all === undefined ? { edit } : { errors: all };
};
