import { camelCase, pascalCase, pluralize, titleCase, upperSnakeCase } from "./inflection.ts";

/**
 * Every name that follows from a replicable's own name (F2), in GitLab Geo's spelling. They are derived once, in
 * `defineReplicable`; everything else reads them from the replicable's `names`.
 */

/** What names are derived from. */
export interface NameSource {
  /** Snake case, singular: `cool_widget`. */
  readonly name: string;
  /** Snake case; needed only where English is irregular. Default: the regular plural. */
  readonly plural?: string;
  /** For people. Default: the name, capitalized. */
  readonly title?: string;
  /** Default: the plural of the title that was given, else the plural name, capitalized. */
  readonly titlePlural?: string;
}

/** What a site's status says about a type: the field's name is the plural name, an underscore and this. */
export const STATUS_FIELD_SUFFIXES = {
  /** Primary: records that may be replicated. Secondary: registries. */
  count: "count",
  checksumTotalCount: "checksum_total_count",
  checksummedCount: "checksummed_count",
  checksumFailedCount: "checksum_failed_count",
  registryCount: "registry_count",
  syncedCount: "synced_count",
  failedCount: "failed_count",
  verificationTotalCount: "verification_total_count",
  verifiedCount: "verified_count",
  verificationFailedCount: "verification_failed_count",
  syncedInPercentage: "synced_in_percentage",
  verifiedInPercentage: "verified_in_percentage",
  /** Seconds since the epoch, -1 when everything is synced. */
  oldestUnsyncedTime: "oldest_unsynced_time",
} as const;
export type StatusFieldKey = keyof typeof STATUS_FIELD_SUFFIXES;

/** The status fields that are numbers, hence Prometheus gauges; percentages are texts. */
export type GaugeKey = Exclude<StatusFieldKey, "syncedInPercentage" | "verifiedInPercentage">;

export interface ReplicableNames {
  /** `cool_widget` */
  readonly singular: string;
  /** `cool_widgets`, in status fields and URLs */
  readonly plural: string;
  /** `coolWidget` */
  readonly camelCase: string;
  /** `coolWidgets` */
  readonly camelCasePlural: string;
  /** `CoolWidget` */
  readonly pascalCase: string;
  /** `Cool Widget` */
  readonly title: string;
  /** `Cool Widgets` */
  readonly titlePlural: string;
  /** `cool_widget_registry` */
  readonly registryTable: string;
  /** `CoolWidgetRegistry`, also the GraphQL type */
  readonly registryClass: string;
  /** `COOL_WIDGET_REGISTRY`, the GraphQL enum value */
  readonly registryEnumKey: string;
  /** `coolWidgetRegistries`, the GraphQL connection */
  readonly registriesField: string;
  /** `cool_widget_states` */
  readonly stateTable: string;
  /** `cool_widget_id` */
  readonly foreignKeyColumn: string;
  /** `coolWidgetId`, the GraphQL field */
  readonly foreignKeyField: string;
  readonly flags: {
    /** `geo_cool_widget_replication` */
    readonly replication: string;
    /** `geo_cool_widget_force_primary_checksumming` */
    readonly forcePrimaryChecksumming: string;
  };
  /** `cool_widgets_synced_count` … */
  readonly statusFields: Readonly<Record<StatusFieldKey, string>>;
  /** `geo_cool_widgets_synced` … */
  readonly gauges: Readonly<Record<GaugeKey, string>>;
}

/** All names of one type. Never fails: what is wrong with a name is for `findReplicableProblems` to say. */
export const deriveNames = (source: NameSource): ReplicableNames => {
  const singular = source.name;
  const plural = source.plural ?? pluralize(singular);
  const registryTable = `${singular}_registry`;
  const foreignKeyColumn = `${singular}_id`;
  const statusFields = deriveStatusFields(plural);
  return {
    singular,
    plural,
    camelCase: camelCase(singular),
    camelCasePlural: camelCase(plural),
    pascalCase: pascalCase(singular),
    title: source.title ?? titleCase(singular),
    titlePlural: source.titlePlural ?? (source.title === undefined ? titleCase(plural) : pluralize(source.title)),
    registryTable,
    registryClass: pascalCase(registryTable),
    registryEnumKey: upperSnakeCase(registryTable),
    registriesField: camelCase(`${singular}_registries`),
    stateTable: `${singular}_states`,
    foreignKeyColumn,
    foreignKeyField: camelCase(foreignKeyColumn),
    flags: {
      replication: `geo_${singular}_replication`,
      forcePrimaryChecksumming: `geo_${singular}_force_primary_checksumming`,
    },
    statusFields,
    gauges: deriveGauges(statusFields),
  };
};

/** The names of a type's status fields, from its plural alone. */
export const deriveStatusFields = (plural: string): Record<StatusFieldKey, string> => {
  const entries = Object.entries(STATUS_FIELD_SUFFIXES).map(([key, suffix]) => [key, `${plural}_${suffix}`]);
  // The entries have exactly the keys of the table above.
  return Object.fromEntries(entries) as Record<StatusFieldKey, string>;
};

/** Geo's rule: `geo_` and the status field, less one trailing `_count`. */
const deriveGauges = (statusFields: Record<StatusFieldKey, string>): Record<GaugeKey, string> => {
  const { syncedInPercentage: _synced, verifiedInPercentage: _verified, ...numbers } = statusFields;
  const entries = Object.entries(numbers).map(([key, field]) => [key, `geo_${field.replace(/_count$/, "")}`]);
  return Object.fromEntries(entries) as Record<GaugeKey, string>;
};

/** Every name by which the outside world tells types apart, by kind; no two types may share one. */
export const publicNames = (names: ReplicableNames): Readonly<Record<string, readonly string[]>> => ({
  plural: [names.plural],
  "registry class": [names.registryClass],
  "GraphQL field": [names.registriesField, names.foreignKeyField],
  flag: [names.flags.replication, names.flags.forcePrimaryChecksumming],
  "status field": Object.values(names.statusFields),
  gauge: Object.values(names.gauges),
});
