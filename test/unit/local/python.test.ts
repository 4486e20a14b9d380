import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findPython } from "../../../infra/local/python.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "s3-geo-python-"));
});
afterEach(() => rm(folder, { recursive: true }));

const program = async (name: string, script: string): Promise<void> => {
  await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, name), 0o755);
};

test("takes a Python that is new enough", async () => {
  await program("python3", "echo 3.12.4");
  expect(await findPython(folder)).toEqual({ python: { command: join(folder, "python3"), version: "3.12.4" } });
});

test("goes on to the next name when the first is too old", async () => {
  await program("python3", "echo 3.9.2");
  await program("python3.11", "echo 3.11.7");
  expect(await findPython(folder)).toMatchObject({ python: { version: "3.11.7" } });
});

test("says what it found when nothing is new enough", async () => {
  await program("python3", "echo 3.9.2");
  expect(await findPython(folder)).toEqual({
    reason: `Python 3.10 or newer is needed for MiniStack; ${join(folder, "python3")} is 3.9.2`,
  });
});

test("is not taken in by a shim that runs nothing", async () => {
  await program("python3", "echo 'no version is set' >&2; exit 127");
  expect(await findPython(folder)).toEqual({
    reason: "Python 3.10 or newer is needed for MiniStack; none is on PATH",
  });
});
