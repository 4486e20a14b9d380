import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import * as z from "zod/mini";
import { FIX_UPS } from "./fix-ups.ts";

/**
 * What a script needs to talk to sites that are up: `.local/run.json` while `npm start` is. Holds tokens and is readable
 * by its owner only.
 */
export const RunFile = z.object({
  cloud: z.object({
    /** `ministack`, `localstack`, `aws`, `other` or `embedded`. */
    name: z.string(),
    version: z.string(),
    /** Absent on AWS and in the embedded world. */
    endpoint: z.optional(z.string()),
    account: z.optional(z.string()),
  }),
  /** Absent where the SDK has to find its own, and in the embedded world. */
  credentials: z.optional(z.object({ access_key_id: z.string(), secret_access_key: z.string() })),
  sites: z.array(
    z.object({
      name: z.string(),
      role: z.enum(["primary", "secondary"]),
      region: z.string(),
      bucket: z.string(),
      /** The site's own table, where its tokens are; absent in the embedded world. */
      site_table: z.optional(z.string()),
      /** Without a slash at its end: `${api_url}/api/v4/geo_sites/status`. */
      api_url: z.string(),
      /** The site's admin page, which asks for the token. */
      admin_url: z.string(),
      /** With the scope `admin_geo`. */
      admin_token: z.string(),
    }),
  ),
  /** What the deployment found dropped and put back; for the tests, which notice when it is not needed any more. */
  fix_ups: z.optional(
    z.array(z.object({ fixUp: z.enum(FIX_UPS), resource: z.string(), region: z.string(), needed: z.boolean() })),
  ),
  /** The process that keeps it all up. */
  pid: z.number(),
});
export type RunFile = z.infer<typeof RunFile>;

/** Writes the file in one piece: whoever reads it sees all of it or nothing. */
export const writeRunFile = async (path: string, content: RunFile): Promise<void> => {
  await mkdir(dirname(path), { recursive: true });
  const beside = `${path}.${process.pid}`;
  await writeFile(beside, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  await rename(beside, path);
};

/** Reads the file, or nothing when nothing is up. */
export const readRunFile = async (path: string): Promise<RunFile | undefined> => {
  const text = await readFile(path, "utf8").catch(() => undefined);
  return text === undefined ? undefined : RunFile.parse(JSON.parse(text));
};

/** Takes the file away, if it is still ours. */
export const removeRunFile = async (path: string, pid: number): Promise<void> => {
  const present = await readRunFile(path).catch(() => undefined);
  if (present?.pid === pid) await rm(path, { force: true });
};
