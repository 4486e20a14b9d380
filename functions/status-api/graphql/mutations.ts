import { parseBulkRequest, type BulkAction } from "../../../shared/geo/bulk-request.ts";
import { parseGlobalId } from "../../../shared/geo/global-id.ts";
import { quoted } from "../../../shared/geo/key-codec.ts";
import type { ReplicationState } from "../../../shared/geo/replication-state.ts";
import type { VerificationState } from "../../../shared/geo/verification-state.ts";
import { askForBulkUpdate } from "../../../shared/services/bulk-update/ask-for-bulk-update.ts";
import { findRows } from "../../../shared/services/find-rows/find-rows.ts";
import type { Builder } from "./builder.ts";
import type { GraphQLCall, RegistryParent } from "./call.ts";
import { keyOfId } from "./connection.ts";
import type { Enums } from "./enums.ts";
import { notAvailable, Refusal } from "./refusal.ts";
import type { RegistryType } from "./registry-types.ts";

/** Marks what GitLab has marked since it came. */
const experiment = (milestone: string) => ({
  deprecationReason: `**Status**: Experiment. Introduced in ${milestone}.`,
  extensions: { experiment: { milestone } },
});

interface Updated {
  readonly registry: RegistryParent | null;
  readonly errors: readonly string[];
}

interface BulkUpdated {
  readonly registryClass: string | null;
  readonly errors: readonly string[];
}

interface BulkInput {
  readonly registryClass: string;
  readonly action: BulkAction;
  readonly ids?: readonly string[] | null | undefined;
  readonly replicationState?: ReplicationState | null | undefined;
  readonly verificationState?: VerificationState | null | undefined;
}

const assertAdmin = ({ isAdmin }: GraphQLCall): void => {
  if (!isAdmin) throw notAvailable();
};

/** A row that an id names, at the site that answers. */
const registryOf = async (call: GraphQLCall, id: string): Promise<RegistryParent> => {
  const read = parseGlobalId(id);
  if ("problem" in read) throw new Refusal(`registryId: ${read.problem}`);
  const replicable = call.replicables.find(({ names }) => names.registryClass === read.registryClass);
  if (replicable === undefined) throw new Refusal(`registryId: there is no class ${quoted(read.registryClass)}`);
  if (call.registry === undefined) throw notAvailable();
  const found = await findRows(call.registry, {
    filter: { replicableName: replicable.name, keys: [read.key] },
    page: { size: 1, order: { by: "id", descending: false }, backwards: false },
  });
  const row = "rows" in found ? found.rows[0]?.row : undefined;
  if (row === undefined) throw notAvailable();
  return { replicable, row };
};

/** The words of bulk requests are those of the REST API. */
const inOurWords = (problem: string): string =>
  problem
    .replaceAll("replication_state", "replicationState")
    .replaceAll("verification_state", "verificationState")
    .replaceAll("replicable_name", "registryClass")
    .replaceAll(/\bkeys\b/g, "ids");

/** Has it done; what speaks against it is for the payload, as in GitLab. */
const asked = async (call: GraphQLCall, request: Readonly<Record<string, unknown>>): Promise<readonly string[]> => {
  const place = { role: call.site.role, replicableNames: call.replicables.map(({ name }) => name) };
  const parsed = parseBulkRequest(request, place);
  if ("problems" in parsed) return parsed.problems.map(inOurWords);
  const result = await askForBulkUpdate(call.asking, parsed.request, call.tokenName);
  return result.asked === "invalid" || result.asked === "off" ? [inOurWords(result.problem)] : [];
};

const updateOne = async (
  call: GraphQLCall,
  { registryId, action }: { readonly registryId: string; readonly action: BulkAction },
): Promise<Updated> => {
  assertAdmin(call);
  const registry = await registryOf(call, registryId);
  const { replicable, row } = registry;
  if (action === "reverify" && row.state !== "synced") {
    const state = row.state.toUpperCase();
    return { registry, errors: [`action: only what is SYNCED can be verified again, and this registry is ${state}`] };
  }
  // One that was asked for an hour ago is wanted again when somebody asks again.
  const request = { action, replicable_name: replicable.name, keys: [row.sk], force: true };
  return { registry, errors: await asked(call, request) };
};

const updateMany = async (call: GraphQLCall, input: BulkInput): Promise<BulkUpdated> => {
  assertAdmin(call);
  const { registryClass, action, ids, replicationState, verificationState } = input;
  const replicable = call.replicables.find(({ name }) => name === registryClass);
  if (replicable === undefined || call.registry === undefined) throw notAvailable();
  const errors = await asked(call, {
    action,
    replicable_name: replicable.name,
    ...(ids ? { keys: ids.map((id) => keyOfId(replicable, id)) } : {}),
    ...(replicationState ? { replication_state: replicationState } : {}),
    ...(verificationState ? { verification_state: verificationState } : {}),
  });
  return { registryClass, errors };
};

/** The two changes that GitLab Geo has in GraphQL (F76, F77): both are bulk updates, the first one of a single row. */
export const addMutations = (
  builder: Builder,
  enums: Enums,
  registryTypes: ReadonlyMap<string, RegistryType>,
): void => {
  const registrable = builder.unionType("Registrable", {
    description: "A registry of any type.",
    types: [...registryTypes.values()],
    resolveType: ({ replicable }) => replicable.names.registryClass,
  });
  builder.mutationType({});
  builder.relayMutationField(
    "geoRegistriesUpdate",
    {
      name: "GeoRegistriesUpdateInput",
      inputFields: (t) => ({
        registryId: t.id({ required: true, description: "Global id of the registry." }),
        action: t.field({ type: enums.action, required: true, description: "What is to be done." }),
      }),
    },
    {
      description: "Has one registry copied or verified again. Begun at once, and done in the background.",
      ...experiment("16.1"),
      resolve: (_root, { input }, call) => updateOne(call, input),
    },
    {
      name: "GeoRegistriesUpdatePayload",
      outputFields: (t) => ({
        registry: t.field({
          type: registrable,
          nullable: true,
          description: "The registry as it is now: what was asked for is still to be done.",
          resolve: (parent: Updated) => parent.registry,
        }),
        errors: t.stringList({
          nullable: false,
          description: "Why nothing was begun.",
          resolve: (parent: Updated) => [...parent.errors],
        }),
      }),
    },
  );
  builder.relayMutationField(
    "geoRegistriesBulkUpdate",
    {
      name: "GeoRegistriesBulkUpdateInput",
      inputFields: (t) => ({
        registryClass: t.field({ type: enums.registryClass, required: true, description: "Of which type." }),
        action: t.field({ type: enums.bulkAction, required: true, description: "What is to be done." }),
        ids: t.idList({ description: "Only these registries, by their global ids. At most 100." }),
        replicationState: t.field({ type: enums.replicationState, description: "Only registries in this state." }),
        verificationState: t.field({
          type: enums.verificationState,
          description: "Only synced registries whose verification is in this state.",
        }),
      }),
    },
    {
      description:
        "Has many registries of a type copied or verified again. Done in the background; the same that is asked for" +
        " again within the hour is not begun twice.",
      ...experiment("16.4"),
      resolve: (_root, { input }, call) => updateMany(call, input),
    },
    {
      name: "GeoRegistriesBulkUpdatePayload",
      outputFields: (t) => ({
        registryClass: t.field({
          type: enums.registryClass,
          nullable: true,
          description: "Of which type.",
          resolve: (parent: BulkUpdated) => parent.registryClass,
        }),
        errors: t.stringList({
          nullable: false,
          description: "Why nothing was begun.",
          resolve: (parent: BulkUpdated) => [...parent.errors],
        }),
      }),
    },
  );
};
