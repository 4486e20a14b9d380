import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Plan } from "./plan.ts";

/** A plan that once broke a rule, made small. */
export interface Finding {
  readonly rule: string;
  /** What was seen, in words. */
  readonly detail: string;
  readonly plan: Plan;
}

const FOLDER = join(import.meta.dirname, "corpus");

/** Every finding that was kept, by file name. */
export const readCorpus = (): readonly { readonly name: string; readonly finding: Finding }[] =>
  readdirSync(FOLDER)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => ({ name, finding: JSON.parse(readFileSync(join(FOLDER, name), "utf8")) as Finding }));

/**
 * Keeps a finding, to be run again with every test from now on.
 * @param seed the seed that it was found with
 * @returns where
 */
export const keepFinding = (seed: number, finding: Finding): string => {
  const path = join(FOLDER, `${finding.rule}-${seed}.json`);
  // As the formatter wants it: a list of names on one line.
  const json = JSON.stringify(finding, undefined, 2).replaceAll(/\[\s+("[^{}[\]]*?")\s+\]/g, (_list, names: string) => {
    const line = names.replaceAll(/\s+/g, " ");
    return line.length < 103 ? `[${line}]` : _list;
  });
  writeFileSync(path, `${json}\n`);
  return path;
};
