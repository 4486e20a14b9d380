import type { SiteChange, SiteSettingsAnswer } from "../shared/client/contract.ts";

/** What the form of a site's settings holds: everything as text, as it was typed. */
export interface SettingsForm {
  readonly url: string;
  readonly internalUrl: string;
  readonly syncType: "" | "namespaces" | "shards" | "organizations";
  readonly syncIds: string;
  readonly syncObjectStorage: boolean;
  readonly filesMaxCapacity: string;
  readonly verificationMaxCapacity: string;
  readonly interval: string;
}

export type FieldName = keyof SettingsForm;
export type FieldProblems = Partial<Readonly<Record<FieldName, string>>>;

/** Which of the fields can be changed where the form is shown. */
export interface Editable {
  /** Addresses are noted at the primary, of every site that it knows. */
  readonly addresses: boolean;
  /** The site's own settings, at its own API. */
  readonly settings: boolean;
  /** What a secondary keeps. */
  readonly scope: boolean;
}

const listsOf = (site: SiteSettingsAnswer): readonly (string | number)[] =>
  [site.selective_sync_namespace_ids, site.selective_sync_shards, site.selective_sync_organization_ids].flat();

export const formOf = (site: SiteSettingsAnswer): SettingsForm => ({
  url: site.url ?? "",
  internalUrl: site.internal_url ?? "",
  syncType: site.selective_sync_type ?? "",
  syncIds: listsOf(site).join(", "),
  syncObjectStorage: site.sync_object_storage ?? true,
  filesMaxCapacity: String(site.files_max_capacity),
  verificationMaxCapacity: String(site.verification_max_capacity),
  interval: String(site.minimum_reverification_interval),
});

const URL_LENGTH_MAX = 2_048;

const urlProblem = (text: string, isNeeded: boolean): string | undefined => {
  if (text.trim() === "") return isNeeded ? "Enter the address at which people reach the site." : undefined;
  if (!/^https?:\/\/\S+$/.test(text.trim()) || !URL.canParse(text.trim())) {
    return "Expected an address that begins with http:// or https://.";
  }
  return text.length > URL_LENGTH_MAX ? `Expected at most ${URL_LENGTH_MAX} characters.` : undefined;
};

const numberProblem = (
  text: string,
  { least, most }: { readonly least: number; readonly most: number },
): string | undefined =>
  /^\d{1,9}$/.test(text.trim()) && Number(text) >= least && Number(text) <= most
    ? undefined
    : `Expected a whole number from ${least} to ${most.toLocaleString("en")}.`;

const idsOf = (text: string): readonly string[] =>
  text
    .split(/[\s,]+/)
    .map((id) => id.trim())
    .filter((id) => id !== "");

const idsProblem = ({ syncType, syncIds }: SettingsForm): string | undefined =>
  syncType !== "" && idsOf(syncIds).length === 0
    ? `Name at least one of the ${syncType}: with none of them the site would lose every replica that has an owner.`
    : undefined;

/** What is wrong with the form, by field, in words. The API has the last one: it checks again. */
export const problemsOf = (form: SettingsForm, { addresses, settings, scope }: Editable): FieldProblems => {
  const found: Partial<Record<FieldName, string | undefined>> = {
    ...(addresses && { url: urlProblem(form.url, true), internalUrl: urlProblem(form.internalUrl, false) }),
    ...(settings && {
      filesMaxCapacity: numberProblem(form.filesMaxCapacity, SETTING_BOUNDS.capacity),
      verificationMaxCapacity: numberProblem(form.verificationMaxCapacity, SETTING_BOUNDS.capacity),
      interval: numberProblem(form.interval, SETTING_BOUNDS.days),
    }),
    ...(scope && { syncIds: idsProblem(form) }),
  };
  return Object.fromEntries(Object.entries(found).filter(([, problem]) => problem !== undefined));
};

const LISTS = {
  namespaces: "selective_sync_namespace_ids",
  shards: "selective_sync_shards",
  organizations: "selective_sync_organization_ids",
} as const;

/** What the API is to be sent: what differs from the site as it is, and nothing else. */
export const changeOf = (site: SiteSettingsAnswer, form: SettingsForm, editable: Editable): SiteChange => {
  const before = formOf(site);
  const isChanged = (...fields: readonly FieldName[]): boolean => fields.some((field) => form[field] !== before[field]);
  const { addresses, settings, scope } = editable;
  return {
    ...(addresses && isChanged("url") && { url: form.url.trim() }),
    ...(addresses &&
      isChanged("internalUrl") && { internal_url: form.internalUrl.trim() === "" ? null : form.internalUrl.trim() }),
    ...(settings && isChanged("filesMaxCapacity") && { files_max_capacity: Number(form.filesMaxCapacity) }),
    ...(settings &&
      isChanged("verificationMaxCapacity") && { verification_max_capacity: Number(form.verificationMaxCapacity) }),
    ...(settings && isChanged("interval") && { minimum_reverification_interval: Number(form.interval) }),
    ...(scope && isChanged("syncObjectStorage") && { sync_object_storage: form.syncObjectStorage }),
    ...(scope &&
      isChanged("syncType", "syncIds") &&
      (form.syncType === ""
        ? { selective_sync_type: null }
        : { selective_sync_type: form.syncType, [LISTS[form.syncType]]: idsOf(form.syncIds) })),
  };
};
