import process from "node:process";
import type { Cloud } from "./cloud.ts";
import { EMULATED_ACCOUNT, freePort, health } from "./ministack.ts";
import { atEnd, CommandFailedError, runCommand, startGroup, stopGroup, tail } from "./processes.ts";

/** Needs a token, as every release since March 2026 does. */
export const LOCALSTACK_IMAGE = "localstack/localstack-pro:4.14.0";

/** The last community release, which asks for no token and is not maintained any more. */
export const LOCALSTACK_ARCHIVE_IMAGE = "localstack/localstack:4.14.0";

/** A first start pulls about a gigabyte. */
const HEALTHY_WITHIN_MS = 300_000;

/** Whether docker's daemon answers (the program alone is no use), or why not. */
export const dockerReason = async (): Promise<string | undefined> => {
  const said = await runCommand("docker", ["version", "--format", "{{.Server.Version}}"], { timeoutMs: 15_000 }).catch(
    (error: NodeJS.ErrnoException) => ({
      code: 1,
      stdout: "",
      stderr: error.code === "ENOENT" ? "not installed" : error.message,
    }),
  );
  return said.code === 0
    ? undefined
    : `docker is not usable: ${tail(said.stderr || said.stdout, 1) || "its daemon does not answer"}`;
};

/** Starts LocalStack in a container of its own and waits until it answers. */
export const startLocalStack = async (image: string): Promise<Cloud> => {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const container = `s3-geo-${process.pid}`;
  const token = process.env["LOCALSTACK_AUTH_TOKEN"] === undefined ? [] : ["--env", "LOCALSTACK_AUTH_TOKEN"];
  const child = startGroup(
    "docker",
    [
      ["run", "--rm", "--name", container, "--publish", `127.0.0.1:${port}:4566`],
      // It runs functions in containers of their own.
      ["--volume", "/var/run/docker.sock:/var/run/docker.sock"],
      ["--env", "DISABLE_EVENTS=1", ...token, image],
    ].flat(),
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (chunk: string) => (said = tail(said + chunk, 60)));
  }
  let stopped = false;
  const stop = async (): Promise<void> => {
    if (stopped) return;
    stopped = true;
    await stopGroup(child);
    // The container is docker's child, not ours: a killed client leaves it running.
    const { spawnSync } = await import("node:child_process");
    spawnSync("docker", ["rm", "--force", container], { stdio: "ignore", timeout: 15_000 });
  };
  atEnd(stop);
  const deadline = Date.now() + HEALTHY_WITHIN_MS;
  for (;;) {
    const answer = await health(endpoint, "/_localstack/health");
    if (answer !== undefined) {
      return {
        name: "localstack",
        version: answer.version ?? image.split(":").at(-1) ?? "unknown",
        endpoint,
        credentials: { accessKeyId: "test", secretAccessKey: "test" },
        account: EMULATED_ACCOUNT,
        stop,
      };
    }
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new CommandFailedError(`LocalStack (${image}) did not become healthy: ${tail(said, 5)}`);
    }
    await new Promise((tick) => setTimeout(tick, 250));
  }
};
