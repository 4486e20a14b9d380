/**
 * Tokens, for the command line: the one file of it that reaches AWS. Everything else asks a site's API, but a token for the API
 * can not be asked of the API: whoever may write the site's table may make one, and that is for IAM to say.
 */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import * as z from "zod/mini";
import { DynamoTable } from "../shared/aws/dynamo-table.ts";
import { GeoError } from "../shared/geo/errors.ts";
import type { TokenRequest } from "../shared/geo/tokens.ts";
import type { Table } from "../shared/ports/table.ts";
import { issueToken } from "../shared/services/issue-token.ts";
import { knownToken, type KnownToken, listKnownTokens, revokeKnownToken } from "../shared/services/known-tokens.ts";
import { CommandError, EXIT } from "./exit-codes.ts";
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
  /** Name of the site's table, with `region`; absent: a site of the demonstration that is up. */
  readonly siteTable?: string | undefined;
  readonly region?: string | undefined;
  /** A site of the demonstration by its name; absent: its primary. */
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

const RUN_FILE = ".local/run.json";

/** As much of the demonstration's file as leads to its tables. */
const RunFile = z.object({
  cloud: z.object({ name: z.string(), endpoint: z.optional(z.string()) }),
  credentials: z.optional(z.object({ access_key_id: z.string(), secret_access_key: z.string() })),
  sites: z.array(
    z.object({
      name: z.string(),
      role: z.enum(["primary", "secondary"]),
      region: z.string(),
      site_table: z.optional(z.string()),
    }),
  ),
});

const usage = (message: string): CommandError => new CommandError(EXIT.usage, message);

const demonstration = async (root: string): Promise<z.infer<typeof RunFile>> => {
  const text = await readFile(join(root, RUN_FILE), "utf8").catch(() => undefined);
  if (text === undefined) {
    throw usage(
      `which site? Expected --site-table with --region, or a running demonstration (npm start), and found no ${RUN_FILE}`,
    );
  }
  try {
    return RunFile.parse(JSON.parse(text));
  } catch (cause) {
    throw new CommandError(EXIT.failure, `${RUN_FILE} can not be read; start the demonstration again: npm start`, {
      cause,
    });
  }
};

const findTable = async (options: TokenOptions, { root, env = {} }: Surroundings): Promise<TableAddress> => {
  const table = options.siteTable ?? env["GEO_SITE_TABLE"];
  if (table !== undefined && table !== "") {
    if (options.site !== undefined) throw usage("--site is a site of the demonstration; expected it or --site-table");
    const region = options.region ?? env["AWS_REGION"];
    if (region === undefined || region === "") throw usage(`no region for ${table}: expected --region, or AWS_REGION`);
    return { table, region };
  }
  const { cloud, credentials, sites } = await demonstration(root);
  const wanted = sites.find(({ name, role }) =>
    options.site === undefined ? role === "primary" : name === options.site,
  );
  if (wanted === undefined) {
    const names = sites.map(({ name, role }) => `${name} (${role})`).join(", ");
    throw usage(`--site is ${JSON.stringify(options.site ?? "primary")}, expected one of ${names}`);
  }
  if (wanted.site_table === undefined) {
    throw new CommandError(
      EXIT.failure,
      `the ${cloud.name} world keeps its tables in its own memory, where nobody else can make tokens; use admin_token of ${RUN_FILE}`,
    );
  }
  return {
    table: wanted.site_table,
    region: wanted.region,
    ...(cloud.endpoint === undefined ? {} : { endpoint: cloud.endpoint }),
    ...(credentials === undefined
      ? {}
      : { credentials: { accessKeyId: credentials.access_key_id, secretAccessKey: credentials.secret_access_key } }),
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
