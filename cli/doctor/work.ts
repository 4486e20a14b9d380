import { GeoApiError } from "../../shared/client/client.ts";
import { countsOf } from "../../shared/client/contract.ts";
import { failureKindOf, type RowFailureKind } from "../../shared/geo/failure-kind.ts";
import type { Connection } from "../connection.ts";
import { listRegistries } from "../registry/list-registries.ts";
import type { RegistryAnswer } from "../registry/registry-answer.ts";
import { answering, type Check, type Examined } from "./examined.ts";
import { ok, problem, type Said, unknown, warning } from "./finding.ts";

/** Whether a site did not answer because its caller may not ask. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof GeoApiError && (error.reason === "unauthorized" || error.reason === "forbidden");

/** Failed rows that are read of each type: what denies one denies most. */
const FAILED_ROWS_READ = 100;

/** Asks each site that answers; what it refuses to tell is said, and keeps nothing else from being told. */
export const ofEachSite = async (
  connections: readonly Connection[],
  ask: (connection: Connection) => Promise<readonly Said[]>,
): Promise<readonly Said[]> => {
  const said = await Promise.all(
    connections.map(async (connection): Promise<readonly Said[]> => {
      try {
        return await ask(connection);
      } catch (error) {
        if (!(error instanceof GeoApiError)) throw error;
        const remedy = "look again, with a token that may (geo token create)";
        return [unknown(connection.site.name, `its API did not tell: ${error.message}`, remedy, isRefusal(error))];
      }
    }),
  );
  return said.flat();
};

const secondaries = (examined: Examined): readonly Connection[] =>
  answering(examined).filter(({ site }) => !site.primary);

/** What the last walk through both sides found that the primary does not hold. */
export const orphans: Check = {
  name: "orphans",
  look: (examined) =>
    ofEachSite(secondaries(examined), ({ site: { name }, statuses: [status] }) => {
      const walks = Object.entries(status.registry_consistency ?? {});
      const found = walks.filter(([, { found_orphan_count: count }]) => count > 0);
      const walked = walks.filter(([, { state }]) => state !== "never");
      if (found.length > 0) {
        const types = found.map(([type, { found_orphan_count: count }]) => `${type} ${String(count)}`).join(", ");
        const remedy = "they are hidden through the removal guard; see registry-consistency in docs/runbook.md";
        return Promise.resolve([warning(name, `the last walks found replicas without an original: ${types}`, remedy)]);
      }
      return Promise.resolve([
        walked.length === 0
          ? unknown(
              name,
              "no type was walked through yet",
              "wait for the first walk, or ask for one: POST …/registry_consistency/:type/walk",
            )
          : ok(name, "the last walks found no replica without an original"),
      ]);
    }),
};

/** Kinds of failure that tell of a right that is missing. */
const DENIALS: readonly RowFailureKind[] = ["forbidden", "kms"];

const isDenial = (kind: RowFailureKind | undefined): boolean => kind !== undefined && DENIALS.includes(kind);

const kindOf = ({ last_sync_failure: text }: RegistryAnswer): RowFailureKind | undefined =>
  text === null ? undefined : failureKindOf({ last_sync_failure: text });

/**
 * Whether the site's own roles lack a right. Nobody can try that from outside with a function's role, so this goes by what its
 * rows say: S3 denied an object, or its key.
 */
export const permissions: Check = {
  name: "permissions",
  look: (examined) =>
    ofEachSite(secondaries(examined), async ({ client, site: { name }, statuses: [status] }) => {
      const failing = examined.replicables.filter(({ names }) => (countsOf(status, names).failedCount ?? 0) > 0);
      const types = failing.map((replicable) => ({ replicable, wish: { replicationState: "FAILED" } }));
      const { registries } = await listRegistries(client, types, FAILED_ROWS_READ, undefined);
      const denied = registries.filter((row) => isDenial(kindOf(row)));
      const [first] = denied;
      if (first === undefined) {
        const read =
          registries.length === 0 ? "nothing has failed" : `none of ${String(registries.length)} failed rows`;
        return [
          ok(
            name,
            `${read}${registries.length === 0 ? "" : " was denied"}, as far as rows tell of the functions' rights`,
          ),
        ];
      }
      const of = [...new Set(denied.map(({ replicable_name: type }) => type))].join(", ");
      // A redrive takes one reason.
      const again = DENIALS.filter((kind) => denied.some((row) => kindOf(row) === kind))
        .map((kind) => `geo redrive --reason ${kind}`)
        .join(", and ");
      return [
        problem(
          name,
          `AWS denies the site's own functions objects of ${of}: ${first.last_sync_failure ?? ""}`,
          `mend the bucket's policy or the key's, then: ${again}`,
        ),
      ];
    }),
};
