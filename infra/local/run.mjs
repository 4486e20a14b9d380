/**
 * The door to every command of package.json. It is plain JavaScript for whichever Node is on the machine (20 or newer),
 * needs nothing installed, brings `node_modules` up to date with the lockfile, and hands over to the command's
 * TypeScript on the project's own Node.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import process from "node:process";

const root = resolve(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "../..");
const OLDEST_NODE = 20;
const TAIL_LINES = 40;

/** Command → the TypeScript that does it. */
const entries = {
  start: "infra/local/start.ts",
  test: "infra/local/test.ts",
  check: "infra/local/check.ts",
  coverage: "infra/local/coverage.ts",
  integration: "infra/local/integration.ts",
  bench: "test/bench/main.ts",
  explore: "test/explore/main.ts",
  sim: "test/sim/main.ts",
  mutation: "test/mutation/main.ts",
  features: "infra/local/features.ts",
  "docs-api": "infra/local/docs-api.ts",
  "docs-cli": "infra/local/docs-cli.ts",
  "docs-config": "infra/local/docs-config.ts",
  "docs-graphql": "infra/local/docs-graphql.ts",
  "docs-observability": "infra/local/docs-observability.ts",
  geo: "cli/geo.ts",
};

const say = (text) => process.stderr.write(`${text}\n`);

const fail = (text, code = 1) => {
  say(text);
  process.exit(code);
};

/** Whether what is installed is what the lockfile says. Optional packages are for other platforms when they are absent. */
const upToDate = () => {
  try {
    const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
    const installed = JSON.parse(readFileSync(join(root, "node_modules/.package-lock.json"), "utf8")).packages;
    const same = (path) => installed[path]?.version === wanted[path]?.version;
    return (
      existsSync(join(root, "node_modules/.bin/node")) &&
      Object.keys(installed).every(same) &&
      Object.keys(wanted).every((path) => path === "" || (!(path in installed) && wanted[path].optional) || same(path))
    );
  } catch {
    return false; // absent or half written: npm writes its own lockfile last
  }
};

/** Prints that something is still going on: in place on a terminal, a line now and then elsewhere. */
const heartbeat = (text) => {
  const started = Date.now();
  const tty = process.stderr.isTTY;
  const show = () => {
    const seconds = Math.round((Date.now() - started) / 1_000);
    process.stderr.write(tty ? `\r${text} (${seconds} s)` : `${text} (${seconds} s)\n`);
  };
  if (!tty) say(text);
  const timer = setInterval(show, tty ? 500 : 15_000);
  return () => {
    clearInterval(timer);
    if (tty) process.stderr.write("\r\x1b[K");
    return Math.round((Date.now() - started) / 1_000);
  };
};

let child;
let interrupted;

/** The signals that ask us to end. The child decides how; we only pass them on and wait for it. */
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    interrupted = signal;
    child?.kill(signal);
  });
}

// npm puts a shell between itself and us. When that shell is ended the signal may not reach us, and we would live on with
// a local cloud nobody can stop: so we end when the parent we started under is gone.
if (process.env.npm_lifecycle_event !== undefined) {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.emit("SIGTERM", "SIGTERM");
  }, 500).unref();
}

const exited = (started) =>
  new Promise((done) => {
    started.once("error", (error) => done({ code: 1, error }));
    started.once("exit", (code, signal) => done({ code, signal }));
  });

/** `npm ci`, quietly. Its words are shown when it fails, and only then. */
const install = async () => {
  const npm = process.env.npm_execpath?.endsWith(".js") ? [process.execPath, process.env.npm_execpath] : ["npm"];
  // A user's own npm settings must not decide whether the project's Node is put in place (its package does so in an
  // install script) or whether development tools come along.
  const flags = ["ci", "--no-audit", "--no-fund", "--ignore-scripts=false", "--include=dev", "--engine-strict=false"];
  const stop = heartbeat("Installing dependencies with npm ci");
  let output = "";
  child = spawn(npm[0], [...npm.slice(1), ...flags], {
    cwd: root,
    env: { ...process.env, NODE_ENV: "development" },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // its own process group, so that all of it can be ended at once
  });
  const group = child;
  child.kill = (signal) => {
    try {
      process.kill(-group.pid, signal);
    } catch {
      // it has already ended
    }
    return true;
  };
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const { code, error } = await exited(child);
  child = undefined;
  const seconds = stop();
  if (interrupted !== undefined) process.exit(130);
  if (code !== 0 || !upToDate()) {
    say(output.trimEnd().split("\n").slice(-TAIL_LINES).join("\n"));
    fail(
      `npm ci did not succeed (${error?.message ?? `exit code ${code}`}). It needs npm 10 or newer and a registry it can reach; run "npm ci" by hand to see more.`,
    );
  }
  say(`Dependencies installed (${seconds} s)`);
};

const [command, ...args] = process.argv.slice(2);
if (process.platform === "win32") fail("s3-geo's local tools need Linux, macOS or WSL.", 2);
if (Number(process.versions.node.split(".")[0]) < OLDEST_NODE) {
  fail(
    `s3-geo needs Node ${OLDEST_NODE} or newer to set itself up; this is ${process.version} (${process.execPath}).`,
    2,
  );
}
if (!Object.hasOwn(entries, command)) {
  fail(
    `usage: node infra/local/run.mjs <${Object.keys(entries).join("|")}> [arguments]; got ${command ?? "no command"}`,
    2,
  );
}

const entry = join(root, entries[command]);
if (!existsSync(entry)) fail(`"${command}" is not available: ${entries[command]} does not exist in this checkout.`, 2);

const setupStarted = Date.now();
if (!upToDate()) await install();

const bin = join(root, "node_modules/.bin");
const node = join(bin, "node");
const version = spawnSync(node, ["--version"], { encoding: "utf8" });
if (version.status !== 0 || !version.stdout.startsWith("v24.")) {
  fail(
    `The project's own Node does not run: ${node} --version said ${JSON.stringify((version.stdout || version.stderr || version.error?.message || "nothing").trim())}, expected v24. Remove node_modules and try again.`,
  );
}

if (interrupted !== undefined) process.exit(130);
child = spawn(node, ["--disable-warning=ExperimentalWarning", entry, ...args], {
  cwd: root,
  // The channel is there to be closed: a command whose starter dies, by whatever means, notices and cleans up.
  stdio: ["inherit", "inherit", "inherit", "ipc"],
  env: {
    ...process.env,
    PATH: `${bin}${delimiter}${process.env.PATH ?? ""}`,
    S3_GEO_SETUP_STARTED: String(setupStarted),
  },
});
const { code, signal, error } = await exited(child);
if (error) fail(`could not start ${node}: ${error.message}`);
process.exit(signal === null ? code : 130);
