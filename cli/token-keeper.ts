/**
 * Tokens, for the command line: the one file of it that reaches AWS. Everything else asks a site's API, but a token for the API
 * can not be asked of the API: whoever may write the site's table may make one, and that is for IAM to say.
 */
import { randomBytes } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { DynamoTable } from "../shared/aws/dynamo-table.ts";
import { GeoError } from "../shared/geo/errors.ts";
import type { TokenRequest } from "../shared/geo/tokens.ts";
import type { Table } from "../shared/ports/table.ts";
import { issueToken } from "../shared/services/issue-token.ts";
import { knownToken, type KnownToken, listKnownTokens, revokeKnownToken } from "../shared/services/known-tokens.ts";
import { CommandError, EXIT } from "./exit-codes.ts";
import { knownSites, meantSite } from "./run-file.ts";
import type { Surroundings } from "./surroundings.ts";

/** Where a site's table is. */
export interface TableAddress {
  readonly table: string;
  readonly region: string;
  /** Of a local cloud; absent: AWS, or what `AWS_ENDPOINT_URL` says. */
  readonly endpoint?: string;
  /** Absent: those that the SDK finds by itself. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** The part of a table that tokens need. */
export type TokenTable = Pick<Table, "put" | "query" | "update">;

/** Which site's tokens, as the options say it. */
export interface TokenOptions {
  /** Name of the site's table, with `region`; absent: a site of the file of sites. */
  readonly siteTable?: string | undefined;
  readonly region?: string | undefined;
  /** A known site by its name; absent: the primary. */
  readonly site?: string | undefined;
}

/** A token that was just made. `token` is the secret, which nobody can show again. */
export type NewToken = KnownToken & { readonly token: string };

/** The tokens of one site. Everything throws a `CommandError` with the exit code that fits. */
export interface TokenKeeper {
  create(request: TokenRequest): Promise<NewToken>;
  list(): Promise<readonly KnownToken[]>;
  revoke(id: string): Promise<KnownToken>;
}

const usage = (message: string): CommandError => new CommandError(EXIT.usage, message);

const findTable = async (options: TokenOptions, surroundings: Surroundings): Promise<TableAddress> => {
  const { env = {} } = surroundings;
  const given = options.siteTable ?? env["GEO_SITE_TABLE"];
  if (given !== undefined && given !== "") {
    if (options.site !== undefined) throw usage("--site is one of the file of sites; expected it or --site-table");
    const region = options.region ?? env["AWS_REGION"];
    if (region === undefined || region === "") throw usage(`no region for ${given}: expected --region, or AWS_REGION`);
    return { table: given, region };
  }
  const known = await knownSites("--site-table with --region", surroundings);
  const { name, siteTable: table, region } = meantSite(known, options.site, "primary");
  if (table === undefined || region === undefined) {
    throw new CommandError(
      EXIT.failure,
      known.cloud === undefined
        ? `${known.from} does not say where the table of ${name} is; expected site_table and region there, or --site-table with --region`
        : `the ${known.cloud.name} world keeps its tables in its own memory, where nobody else can make tokens; use admin_token of ${known.from}`,
    );
  }
  return {
    table,
    region,
    ...(known.cloud?.endpoint === undefined ? {} : { endpoint: known.cloud.endpoint }),
    ...(known.credentials === undefined ? {} : { credentials: known.credentials }),
  };
};

const openTable = ({ table, region, endpoint, credentials }: TableAddress): TokenTable => {
  const client = new DynamoDBClient({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
  });
  return new DynamoTable(DynamoDBDocumentClient.from(client), table);
};

/** What AWS calls it when the caller is nobody, or may not do this. */
const NOT_ALLOWED: ReadonlySet<string> = new Set([
  "AccessDeniedException",
  "CredentialsProviderError",
  "ExpiredTokenException",
  "InvalidSignatureException",
  "MissingAuthenticationTokenException",
  "UnrecognizedClientException",
]);

/** The same failure with the exit code that fits. A refused table is not one that may answer later. */
const forCaller = (error: unknown, { table, region }: TableAddress): unknown => {
  if (!(error instanceof GeoError)) return error;
  if (error.code === "GEO_INVALID_TOKEN_REQUEST") return usage(error.message);
  const { name = "" } = error.cause instanceof Error ? error.cause : {};
  if (NOT_ALLOWED.has(name)) {
    return new CommandError(EXIT.notAllowed, `AWS does not let you at the tokens in ${table} (${name})`, {
      cause: error,
    });
  }
  if (name === "ResourceNotFoundException") return usage(`there is no table ${table} in ${region}`);
  return error;
};

/**
 * Opens a site's tokens.
 * @throws {CommandError} what can not work as it was called
 */
export const openTokens = async (options: TokenOptions, surroundings: Surroundings): Promise<TokenKeeper> => {
  const address = await findTable(options, surroundings);
  const site = (surroundings.siteTable ?? openTable)(address);
  const clock = { now: () => Date.now() };
  const answered = async <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
    try {
      return await ask();
    } catch (error) {
      throw forCaller(error, address);
    }
  };
  return {
    create: (request) =>
      answered(async () => {
        const { token, record } = await issueToken({ site, clock, randomBytes }, request);
        return { ...knownToken(record, clock.now()), token };
      }),
    list: () => answered(() => listKnownTokens({ site, clock })),
    revoke: (id) =>
      answered(async () => {
        const ended = await revokeKnownToken({ site, clock }, id);
        if ("problem" in ended) throw usage(ended.problem);
        return ended.revoked;
      }),
  };
};
