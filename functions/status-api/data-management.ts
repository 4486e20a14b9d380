import type { Context, Hono } from "hono";
import type { ChecksumsAsked } from "../../shared/client/data-management-contract.ts";
import { type BulkRequest, parseBulkRequest } from "../../shared/geo/bulk-request.ts";
import { keyOfIdentifier, modelNameOf } from "../../shared/geo/data-management.ts";
import { parseVerificationStateRow, rowKey, type VerificationStateRow } from "../../shared/geo/registry-row.ts";
import type { Replicable } from "../../shared/geo/replicable.ts";
import { readCursor, signCursor } from "../../shared/geo/signed-cursor.ts";
import type { StatusSite } from "../../shared/geo/site-status.ts";
import type { ManyReader, Table } from "../../shared/ports/table.ts";
import {
  askForBulkUpdate,
  type AskedForBulk,
  type BulkAsking,
} from "../../shared/services/bulk-update/ask-for-bulk-update.ts";
import { CursorKey } from "../../shared/services/cursor-key.ts";
import { findRows } from "../../shared/services/find-rows/find-rows.ts";
import { STATE_ROWS } from "../../shared/services/find-rows/row-kind.ts";
import type { SearchedRows } from "../../shared/services/find-rows/row-search.ts";
import { parseRecordsQuery, type RecordsQuery } from "./data-management-query.ts";
import { atMost, jsonOf } from "./json-body.ts";
import { managedRecord } from "./managed-records.ts";
import { allowOnly, type ApiEnv, apiUrlOf } from "./site-paths.ts";

/** A hundred identifiers of up to 1,366 characters, and what JSON puts around them. */
const BODY_BYTES_MAX = 262_144;

/** How long one object's checksum is waited for, milliseconds: within the 29 seconds that API Gateway waits. */
export const CHECKSUM_WAIT_MS = 20_000;
const LOOK_EVERY_MS = 500;

const ALL = "/api/v4/admin/data_management/:model_name";

/** What the management of the primary's data needs. */
export interface ManagedSite extends BulkAsking {
  readonly site: StatusSite;
  readonly replicables: readonly Replicable[];
  /** The primary's verification state. */
  readonly rows: Pick<Table, "get" | "query"> & ManyReader;
  /** Of a cryptographic source. */
  randomBytes(size: number): Uint8Array;
  /** Lets so many milliseconds pass. Default: the runtime's own. */
  readonly pause?: (milliseconds: number) => Promise<unknown>;
}

const defaultPause = (milliseconds: number): Promise<unknown> =>
  new Promise((over) => {
    setTimeout(over, milliseconds);
  });

const invalid = (context: Context<ApiEnv>, problems: readonly string[]): Response =>
  context.json({ message: `400 Bad request - ${problems.join("; ")}` }, 400);

/** The row of a record; nothing when there is none, or only its tombstone. */
const readRow = async (
  { rows }: ManagedSite,
  replicableName: string,
  key: string,
): Promise<VerificationStateRow | undefined> => {
  const item = await rows.get(rowKey({ replicableName, key }));
  const row = item === undefined ? undefined : parseVerificationStateRow(item);
  return row?.tombstone === true ? undefined : row;
};

/** Whether a checksum has come to its end since a row was seen. Told by the row alone: no two clocks are compared. */
const hasSettled = (before: VerificationStateRow, now: VerificationStateRow): boolean =>
  now.verification_state === "succeeded"
    ? now.verified_at !== before.verified_at
    : now.verification_state === "failed" && now.rev !== before.rev;

/** The record once its checksum has been made anew; as it stands when that takes longer than a caller waits. */
const settled = async (
  managed: ManagedSite,
  replicableName: string,
  before: VerificationStateRow,
): Promise<{ readonly row: VerificationStateRow; readonly isOver: boolean } | undefined> => {
  const { clock, pause = defaultPause } = managed;
  const until = clock.now() + CHECKSUM_WAIT_MS;
  for (;;) {
    const row = await readRow(managed, replicableName, before.sk);
    if (row === undefined) return undefined;
    if (hasSettled(before, row)) return { row, isOver: true };
    if (clock.now() >= until) return { row, isOver: false };
    await pause(LOOK_EVERY_MS);
  }
};

/** What is asked for of a type's checksums. The words of the bulk update are turned into those of this call. */
const checksumRequest = (
  { site, replicables }: ManagedSite,
  replicableName: string,
  wish: { readonly keys?: readonly string[]; readonly state?: string; readonly force: boolean },
): { readonly request: BulkRequest } | { readonly problems: readonly string[] } => {
  const sent = {
    action: "checksum",
    replicable_name: replicableName,
    force: wish.force,
    ...(wish.keys === undefined ? {} : { keys: wish.keys }),
    ...(wish.state === undefined ? {} : { verification_state: wish.state }),
  };
  const parsed = parseBulkRequest(sent, { role: site.role, replicableNames: replicables.map(({ name }) => name) });
  return "request" in parsed
    ? parsed
    : { problems: parsed.problems.map((problem) => problem.replace(/^verification_state:/, "checksum_state:")) };
};

/** Why nothing was begun; nothing when it was. */
const refusalOf = (context: Context<ApiEnv>, asked: AskedForBulk): Response | undefined => {
  if (!("problem" in asked)) return undefined;
  return asked.asked === "off"
    ? context.json({ message: `409 Conflict - ${asked.problem}` }, 409)
    : invalid(context, [asked.problem]);
};

/** Reads what a bulk call names, out of its body: `{"checksum_state": "failed", "identifiers": ["…"]}`, or nothing. */
const parseChecksumsBody = (
  sent: unknown,
): { readonly query: RecordsQuery } | { readonly problems: readonly string[] } => {
  if (typeof sent !== "object" || sent === null || Array.isArray(sent)) {
    return { problems: ['body: expected an object such as {"checksum_state": "failed"}, or nothing'] };
  }
  const { checksum_state: state, identifiers = [], ...rest } = sent as Readonly<Record<string, unknown>>; // an object that is no list
  const unknown = Object.keys(rest);
  const problems = [
    ...(unknown.length === 0
      ? []
      : [`there is nothing called ${unknown.join(", ").slice(0, 100)}; expected checksum_state, identifiers`]),
    ...(state === undefined || typeof state === "string" ? [] : ["checksum_state: expected a text"]),
    ...(Array.isArray(identifiers) && identifiers.every((identifier) => typeof identifier === "string")
      ? []
      : ["identifiers: expected a list of record identifiers"]),
    // A search that found nothing must not stand for everything.
    ...(Array.isArray(identifiers) && identifiers.length === 0 && "identifiers" in sent
      ? ["identifiers: expected at least one, or no list at all for all records"]
      : []),
  ];
  if (problems.length > 0) return { problems };
  const query = new URLSearchParams(typeof state === "string" ? { checksum_state: state } : {});
  // Each was just found to be a text.
  for (const identifier of identifiers as readonly string[]) query.append("identifiers[]", identifier);
  return parseRecordsQuery(query);
};

/**
 * The primary's objects with their checksums (F79). An administrator's token only: objects' keys are theirs to see. At the
 * primary only: a secondary answers 409. There is no flag that turns it off.
 *
 * - `GET …/data_management/:model_name`: a page of records (`ManagedRecord`), in the order of their identifiers' rows; keyset
 *   pagination: `per_page` (20, at most 100), `sort` (asc, desc), and `cursor` from the `Link` header. Filters:
 *   `identifiers[]`, `checksum_state`. `:model_name` is GitLab's name of a type's records: `ci_job_artifacts`
 * - `GET …/:model_name/:id`: one of them; 404 when there is none
 * - `PUT …/:model_name/checksum`, perhaps with `{"checksum_state": "failed", "identifiers": ["…"]}`: has the checksums made
 *   anew in the background, and names the bulk update that does it
 * - `PUT …/:model_name/:id/checksum`: has one made anew and waits for what comes of it: 200 with the record, 400 when it
 *   failed, 202 with the record as it stands when that takes longer than 20 seconds
 */
export const addDataManagement = (app: Hono<ApiEnv>, managed: ManagedSite): void => {
  const { site, replicables, siteTable, rows, telemetry } = managed;
  const cursorKey = new CursorKey({ siteTable, randomBytes: (size) => managed.randomBytes(size) });
  const searched: SearchedRows<VerificationStateRow> = {
    kind: STATE_ROWS,
    rows,
    siteTable,
    telemetry,
  };

  /** The type that a call is about, or why it is not answered. */
  const typeOf = (context: Context<ApiEnv>): Replicable | Response => {
    if (context.env?.tokenScope !== "admin_geo") return context.json({ message: "403 Forbidden" }, 403);
    if (site.role !== "primary") {
      const message = "409 Conflict - checksums of originals are the primary's; ask the primary's API";
      return context.json({ message }, 409);
    }
    const model = context.req.param("model_name");
    return (
      replicables.find((replicable) => modelNameOf(replicable) === model) ??
      context.json(
        { message: "404 Model Not Found - expected the name of a model, such as lfs_objects or ci_job_artifacts" },
        404,
      )
    );
  };

  /** The record that a call is about, or why it is not answered. */
  const recordOf = async (
    context: Context<ApiEnv>,
  ): Promise<{ readonly type: Replicable; readonly row: VerificationStateRow } | Response> => {
    const type = typeOf(context);
    if (type instanceof Response) return type;
    const key = keyOfIdentifier(context.req.param("id") ?? "");
    const row = key === undefined ? undefined : await readRow(managed, type.name, key);
    return row === undefined ? context.json({ message: "404 Record Not Found" }, 404) : { type, row };
  };

  app.get(ALL, async (context) => {
    const type = typeOf(context);
    if (type instanceof Response) return type;
    const asked = new URL(context.req.url).searchParams;
    const parsed = parseRecordsQuery(asked);
    if ("problems" in parsed) return invalid(context, parsed.problems);
    const { keys, state, descending, perPage, cursor } = parsed.query;
    const secret = await cursorKey.read();
    const binding = JSON.stringify(["data_management", type.name, state, keys, descending, context.env?.tokenId]);
    const from = cursor === undefined ? undefined : readCursor(secret, binding, cursor);
    if (cursor !== undefined && from === undefined) {
      return invalid(context, [
        "cursor: expected one that this list gave to this token, for the same filters and order",
      ]);
    }
    const page = await findRows(searched, {
      filter: {
        replicableName: type.name,
        ...(keys === undefined ? {} : { keys }),
        ...(state === undefined ? {} : { verificationState: state }),
      },
      page: {
        size: perPage,
        order: { by: "id", descending },
        backwards: false,
        ...(from === undefined ? {} : { from }),
      },
    });
    if ("problem" in page) return invalid(context, [page.problem]);
    context.header("x-per-page", String(perPage));
    if (page.more && page.reached !== undefined) {
      const next = new URLSearchParams(asked);
      next.set("cursor", signCursor(secret, binding, page.reached));
      context.header("link", `<${apiUrlOf(context)}${context.req.path}?${next.toString()}>; rel="next"`);
    }
    return context.json(page.rows.map(({ row }) => managedRecord(type.names, row)));
  });

  app.put(`${ALL}/checksum`, atMost(BODY_BYTES_MAX), async (context) => {
    const type = typeOf(context);
    if (type instanceof Response) return type;
    const isEmpty = (await context.req.text()) === "";
    const sent = isEmpty ? { json: {} } : await jsonOf(context);
    const parsed = parseChecksumsBody(sent?.json);
    if ("problems" in parsed) return invalid(context, parsed.problems);
    const { keys, state } = parsed.query;
    const wished = checksumRequest(managed, type.name, {
      force: false,
      ...(keys === undefined ? {} : { keys }),
      ...(state === undefined ? {} : { state }),
    });
    if ("problems" in wished) return invalid(context, wished.problems);
    const asked = await askForBulkUpdate(managed, wished.request, context.env?.tokenName);
    if ("problem" in asked) return refusalOf(context, asked);
    const answer: ChecksumsAsked = {
      status: "success",
      message: `Checksums of ${type.names.titlePlural} are made anew in the background.`,
      bulk_update_id: asked.answer.id,
    };
    return context.json(answer);
  });

  app.get(`${ALL}/:id`, async (context) => {
    const record = await recordOf(context);
    return record instanceof Response ? record : context.json(managedRecord(record.type.names, record.row));
  });

  app.put(`${ALL}/:id/checksum`, async (context) => {
    const record = await recordOf(context);
    if (record instanceof Response) return record;
    const { type, row } = record;
    const wished = checksumRequest(managed, type.name, { keys: [row.sk], force: true });
    if ("problems" in wished) return invalid(context, wished.problems);
    const refusal = refusalOf(context, await askForBulkUpdate(managed, wished.request, context.env?.tokenName));
    if (refusal !== undefined) return refusal;
    const outcome = await settled(managed, type.name, row);
    if (outcome === undefined) return context.json({ message: "404 Record Not Found - its object is gone" }, 404);
    if (!outcome.isOver) return context.json(managedRecord(type.names, outcome.row), 202);
    return outcome.row.verification_state === "failed"
      ? invalid(context, [
          `the checksum could not be made: ${outcome.row.verification_failure ?? "no reason was noted"}`,
        ])
      : context.json(managedRecord(type.names, outcome.row));
  });

  app.all(ALL, allowOnly("GET, HEAD"));
  app.all(`${ALL}/checksum`, allowOnly("PUT"));
  app.all(`${ALL}/:id`, allowOnly("GET, HEAD"));
  app.all(`${ALL}/:id/checksum`, allowOnly("PUT"));
};
