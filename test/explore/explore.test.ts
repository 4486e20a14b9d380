import { describe, expect, test } from "vitest";
import { NEGATIVES } from "./negatives.ts";
import { SCENARIOS } from "./scenarios.ts";
import { explore } from "./search.ts";

/** `npm run explore` visits all of them; these are small enough for every run of the tests. */
const SMALL = [
  "no faults",
  "no faults, verified later",
  "lost and duplicated messages",
  "corrupted copies",
  "corrupted copies, verified later",
  "a write without an answer",
];

describe("every state that one key can reach", () => {
  test.each(SCENARIOS.filter(({ name }) => SMALL.includes(name)))(
    "is safe and comes to rest: $name",
    async (scenario) => {
      const explored = await explore(scenario);
      expect(explored.violation).toBeUndefined();
      expect(explored.exhausted).toBe(true);
      // Convergence is checked where nothing is under way: there must be such states.
      expect(explored.quiet).toBeGreaterThan(5);
    },
  );

  test("covers the scenarios it names", () => {
    expect(SCENARIOS.map(({ name }) => name)).toEqual(expect.arrayContaining(SMALL));
  });
});

describe("without a defence a loss is found", () => {
  test.each(NEGATIVES)("$defence", async ({ scenario }) => {
    const explored = await explore(scenario);
    expect(explored.violation?.rule).toMatch(/^(S\d|L\d)/);
    expect(explored.violation?.trace.length).toBeGreaterThan(0);
  });
});

test("the same scenario is explored the same way: a trace can be replayed", async () => {
  const [first] = NEGATIVES;
  if (first === undefined) throw new Error("no negatives");
  expect(await explore(first.scenario)).toEqual(await explore(first.scenario));
});
