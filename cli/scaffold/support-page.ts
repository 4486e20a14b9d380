import type { Replicable } from "../../shared/geo/replicable.ts";

/** Where the page is, from the root of the checkout. */
export const SUPPORT_PAGE = "docs/supported-types.md";

const code = (text: string): string => `\`${text}\``;

/** Only objects are copied and verified so far. */
const isSupported = ({ strategy }: Replicable): boolean => strategy === "blob";

/** A type that is not released does all this once it is turned on. */
const support = (replicable: Replicable): string => (isSupported(replicable) ? "yes" : "no");

const placeOf = ({ partitioned, keyPattern, available, name }: Replicable): string => {
  if (partitioned) return `those of the types that are partitions of ${code(name)}`;
  return available === undefined ? code(keyPattern.text) : `${code(keyPattern.text)}, but for some`;
};

const rowOf = (replicable: Replicable): string =>
  [
    code(replicable.name),
    support(replicable),
    support(replicable),
    replicable.enabledByDefault ? "on" : "off",
    replicable.milestone,
    replicable.experiment === undefined ? "" : "experiment",
    replicable.shardingKeys.map((key) => (key === "none" ? "none" : code(key))).join(" or "),
    placeOf(replicable),
  ].join(" | ");

/** The page of supported types (F93), in Markdown that has yet to be formatted. */
export const supportPage = (replicables: readonly Replicable[]): string => `# Supported types

Every kind of object that is declared in \`shared/replicables/\`. Made from the declarations by \`npm run docs:types\`; edits of
this page are lost.

- **Replicated**, **verified**: whether objects of the type are copied to secondaries, and read back there and compared.
- **Default**: of its flag \`geo_<type>_replication\`. A type that is off does nothing until it is turned on.
- **Since**: the version of GitLab that introduced it, or of s3-geo for a type that GitLab has not.
- **Experiment**: not released yet, so that it may still change.
- **Sharding key**: what the type's records belong to in GitLab's tables.
- **Objects**: their keys; another place is set in \`infra/geo.config.ts\`.

| Type | Replicated | Verified | Default | Since | Experiment | Sharding key | Objects |
| --- | --- | --- | --- | --- | --- | --- | --- |
${replicables
  .toSorted((left, right) => (left.name < right.name ? -1 : 1))
  .map((replicable) => `| ${rowOf(replicable)} |`)
  .join("\n")}

[Adding a replicable](adding-a-replicable.md) makes another.
`;
