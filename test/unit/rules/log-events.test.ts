import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { OTHER_EVENTS, TRANSITION_EVENTS } from "../../../shared/geo/log-events.ts";

/** Every name of a line is in one file (F106). */

const sources = globSync(["shared/{services,lambda}/**/*.ts", "functions/**/*.ts"]).map((file) =>
  readFileSync(file, "utf8"),
);

/** Messages that are written out where they are logged. */
const literal = new Set(
  sources.flatMap((source) =>
    [...source.matchAll(/telemetry\s*\.\s*(?:debug|info|warn|error)\(\s*"(?<event>[^"]+)"/gi)].map(
      ({ groups }) => groups?.["event"] ?? "",
    ),
  ),
);

const others: ReadonlySet<string> = new Set(OTHER_EVENTS);

test("every line that is logged has its name in shared/geo/log-events.ts, so that queries and pages can name it (F106)", () => {
  expect(literal.size).toBeGreaterThan(50);
  expect([...literal].filter((event) => !others.has(event))).toEqual([]);
});

test("every name in it is logged somewhere (F106)", () => {
  const all = sources.join("\n");
  // Some are put together where they are logged: by what an operator did.
  const isWritten = (event: string): boolean =>
    all.includes(`"${event}"`) || all.includes(`"${event.replace(/^an operator /, "")}"`);
  expect(OTHER_EVENTS.filter((event) => !isWritten(event))).toEqual([]);
  expect(Object.keys(TRANSITION_EVENTS).filter((event) => !all.includes(`"${event}"`))).toEqual([]);
});

test("no name stands in it twice", () => {
  const names = [...OTHER_EVENTS, ...Object.keys(TRANSITION_EVENTS)];
  expect(new Set(names).size).toBe(names.length);
});
