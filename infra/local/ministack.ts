import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import process from "node:process";
import type { Cloud } from "./cloud.ts";
import type { MiniStackInstallation } from "./ministack-install.ts";
import { BIN, ROOT, localFolder } from "./paths.ts";
import { atEnd, CommandFailedError, isRunning, startGroup, stopGroup, tail } from "./processes.ts";

/** First start compiles Python; then it takes a fraction of a second. */
const HEALTHY_WITHIN_MS = 60_000;

/** What every emulator of AWS takes for an account. */
export const EMULATED_ACCOUNT = "000000000000";

/** A port that nobody listens on. It may be taken before we are: the start then fails and is tried on another one. */
export const freePort = (): Promise<number> =>
  new Promise((found, failed) => {
    const server = createServer();
    server.once("error", failed);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === "string") failed(new Error("no port is free"));
        else found(address.port);
      });
    });
  });

/** Whether something answers at a health address, and what it says about its version. */
export const health = async (endpoint: string, path: string): Promise<{ readonly version?: string } | undefined> => {
  try {
    const response = await fetch(new URL(path, endpoint), { signal: AbortSignal.timeout(2_000) });
    if (!response.ok) return undefined;
    const body: unknown = await response.json().catch(() => ({}));
    const version = typeof body === "object" && body !== null && "version" in body ? body.version : undefined;
    return typeof version === "string" ? { version } : {};
  } catch {
    return undefined;
  }
};

/** Marks, in semantic versioning's own way, that the launcher corrects some of what this version does. */
const CORRECTED = "+s3-geo";

const environment = (port: number, home: string, version: string, corrected: boolean): NodeJS.ProcessEnv => ({
  // Nothing of the caller's own AWS settings may reach it or, through it, the functions it runs.
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("AWS_"))),
  // Its `node` is the first on PATH, whatever the function's runtime says: it has to be the project's.
  PATH: `${BIN}${delimiter}${process.env["PATH"] ?? ""}`,
  // Custom resources of the CDK load the SDK from here.
  NODE_PATH: join(ROOT, "node_modules"),
  GATEWAY_PORT: String(port),
  BIND_HOST: "127.0.0.1",
  // Queue URLs then equal the endpoint, or the SDK warns at every call.
  MINISTACK_HOST: "127.0.0.1",
  LAMBDA_EXECUTOR: "local",
  LAMBDA_WARM_TTL_SECONDS: "300",
  // Its MQTT broker would take a fixed port: two checkouts could not run at once.
  IOT_MTLS_ENABLED: "0",
  SFTP_ENABLED: "0",
  LOG_LEVEL: "INFO",
  S3_GEO_UNCORRECTED: corrected ? "0" : "1",
  // What its health page says.
  MINISTACK_VERSION: version,
  AWS_ACCESS_KEY_ID: "test",
  AWS_SECRET_ACCESS_KEY: "test",
  TMPDIR: join(home, "tmp"),
  S3_DATA_DIR: join(home, "s3"),
  STATE_DIR: join(home, "state"),
});

/** Takes away what runs that were killed left on the disk. */
const removeStale = async (folder: string): Promise<void> => {
  for (const name of await readdir(folder)) {
    const pid = /^cloud-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) await rm(join(folder, name), { recursive: true, force: true });
  }
};

const startOnce = async (installation: MiniStackInstallation, corrected: boolean): Promise<Cloud> => {
  const runs = await localFolder("run");
  await removeStale(runs);
  const home = await mkdtemp(join(runs, `cloud-${process.pid}-`));
  for (const folder of ["tmp", "s3", "state"]) await mkdir(join(home, folder));
  // Its workers are CommonJS scripts in there, and our own package says that scripts are modules.
  await writeFile(join(home, "package.json"), '{"type":"commonjs"}\n');
  const logFile = join(await localFolder("logs"), `ministack-${process.pid}.log`);
  const log = createWriteStream(logFile);
  const version = installation.version + (corrected ? CORRECTED : "");
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const child = startGroup(installation.python, [join(import.meta.dirname, "ministack-launcher.py")], {
    cwd: home,
    env: environment(port, home, version, corrected),
    // The launcher ends with the pipe on its standard input: even a killed starter leaves nothing behind.
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  child.stdin?.on("error", () => {});
  const stop = async (): Promise<void> => {
    await stopGroup(child);
    log.end();
    await rm(home, { recursive: true, force: true });
  };
  atEnd(stop);
  const deadline = Date.now() + HEALTHY_WITHIN_MS;
  while ((await health(endpoint, "/_ministack/health")) === undefined) {
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
      await stop();
      const said = await readFile(logFile, "utf8").catch(() => "");
      throw new CommandFailedError(
        `MiniStack did not become healthy at ${endpoint}; its log ends with\n${tail(said, 15)}`,
      );
    }
    await new Promise((tick) => setTimeout(tick, 50));
  }
  return {
    name: "ministack",
    version,
    endpoint,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    account: EMULATED_ACCOUNT,
    stop,
  };
};

/**
 * Starts MiniStack on a free port, on nothing but memory and a scratch folder, and waits until it answers.
 *
 * @param options.corrected whether the launcher makes it behave as AWS does where it can. Default true.
 */
export const startMiniStack = async (
  installation: MiniStackInstallation,
  { corrected = true }: { readonly corrected?: boolean } = {},
): Promise<Cloud> => {
  try {
    return await startOnce(installation, corrected);
  } catch (error) {
    if (!(error instanceof CommandFailedError) || !/already in use|address/i.test(error.message)) throw error;
    return await startOnce(installation, corrected); // somebody took the port between our looking and its listening
  }
};
