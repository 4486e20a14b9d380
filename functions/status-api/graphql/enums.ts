import type { BulkAction } from "../../../shared/geo/bulk-request.ts";
import type { Replicable } from "../../../shared/geo/replicable.ts";
import { REPLICATION_STATE, type ReplicationState } from "../../../shared/geo/replication-state.ts";
import type { RowOrder } from "../../../shared/geo/row-place.ts";
import { VERIFICATION_STATE, type VerificationState } from "../../../shared/geo/verification-state.ts";
import type { Builder } from "./builder.ts";

/** A state that somebody may ask for or be told of: a tombstone is nobody's to see. */
export type ShownReplicationState = Exclude<ReplicationState, "absent">;

const isShown = (state: ReplicationState): state is ShownReplicationState => state !== "absent";

/** Values of an enum: GraphQL's name of each, and ours. */
const valuesOf = <T extends string>(words: readonly T[], meaning: (word: T) => string) =>
  Object.fromEntries(words.map((word) => [word.toUpperCase(), { value: word, description: meaning(word) }])) as Record<
    string,
    { readonly value: T; readonly description: string }
  >; // the entries are of that kind

const REPLICATION_MEANINGS: Readonly<Record<ShownReplicationState, string>> = {
  pending: "It waits to be copied.",
  started: "It is being copied.",
  synced: "The replica was made, or found to be there.",
  failed: "The last attempt failed; there will be another.",
};

const VERIFICATION_MEANINGS: Readonly<Record<VerificationState, string>> = {
  pending: "It waits to be verified.",
  started: "It is being verified.",
  succeeded: "Its content is the primary's.",
  failed: "Its content is not the primary's, or could not be read.",
  disabled: "Nothing is verified: the primary has no checksum, or verification is switched off.",
};

/** What a row can be done to by its id, and all rows of a type. */
export const ACTIONS_OF_ONE = { REVERIFY: "reverify", RESYNC: "resync" } as const satisfies Record<string, BulkAction>;

/** How lists can be ordered. */
const ORDERS = {
  ID_ASC: { by: "id", descending: false, description: "By id, ascending." },
  ID_DESC: { by: "id", descending: true, description: "By id, descending." },
  LAST_SYNCED_AT_ASC: { by: "last_synced_at", descending: false, description: "Synced longest ago first." },
  LAST_SYNCED_AT_DESC: { by: "last_synced_at", descending: true, description: "Synced last first." },
  VERIFIED_AT_ASC: { by: "verified_at", descending: false, description: "Verified longest ago first." },
  VERIFIED_AT_DESC: { by: "verified_at", descending: true, description: "Verified last first." },
} as const satisfies Record<string, RowOrder & { readonly description: string }>;
export type OrderName = keyof typeof ORDERS;

/** The order of a name; that of ids when nothing was said. */
export const orderOf = (name: OrderName | null | undefined): RowOrder => {
  const { by, descending } = ORDERS[name ?? "ID_ASC"];
  return { by, descending };
};

/** Every enum of the schema. */
export const enumsOf = (builder: Builder, replicables: readonly Replicable[]) => {
  const shown = (Object.keys(REPLICATION_STATE) as ReplicationState[]).filter(isShown);
  const states = valuesOf(shown, (state) => REPLICATION_MEANINGS[state]);
  const orders = Object.entries(ORDERS).map(([name, { description }]) => [name, { value: name, description }]);
  return {
    registryState: builder.enumType("RegistryState", {
      description: "State of a Geo registry.",
      values: states,
    }),
    replicationState: builder.enumType("ReplicationStateEnum", {
      description: "State that registries are asked for by.",
      values: states,
    }),
    verificationState: builder.enumType("VerificationStateEnum", {
      description: "State of a verification. What is verified is SUCCEEDED.",
      values: valuesOf(Object.keys(VERIFICATION_STATE) as VerificationState[], (state) => VERIFICATION_MEANINGS[state]),
    }),
    sort: builder.enumType("GeoRegistrySort", {
      description: "Order of a list of registries.",
      // The entries have exactly the keys of the table above.
      values: Object.fromEntries(orders) as Record<OrderName, { value: OrderName; description: string }>,
    }),
    action: builder.enumType("GeoRegistryAction", {
      description: "What can be done to one registry.",
      values: {
        REVERIFY: { value: ACTIONS_OF_ONE.REVERIFY, description: "Reads the replica again." },
        RESYNC: { value: ACTIONS_OF_ONE.RESYNC, description: "Copies the object again, whatever the replica holds." },
      },
    }),
    bulkAction: builder.enumType("GeoRegistriesBulkAction", {
      description: "What can be done to many registries.",
      values: {
        REVERIFY_ALL: { value: ACTIONS_OF_ONE.REVERIFY, description: "Reads synced replicas again." },
        RESYNC_ALL: { value: ACTIONS_OF_ONE.RESYNC, description: "Copies the objects again." },
      },
    }),
    registryClass: builder.enumType("GeoRegistryClass", {
      description: "Every kind of registry.",
      values: Object.fromEntries(
        replicables.map(({ name, names }) => [
          names.registryEnumKey,
          { value: name, description: `${names.registryClass}: the registries of ${names.titlePlural}.` },
        ]),
      ),
    }),
  };
};
export type Enums = ReturnType<typeof enumsOf>;
