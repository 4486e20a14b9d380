import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import example from "../../infra/examples/one-primary-three-secondaries.config.ts";
import { ALARMS } from "../../infra/constructs/alarm-names.ts";
import { ofType, synthesize } from "../infra/support/templates.ts";
import { anchorOf, foldersOf, headingsOf, ROOT, textOf } from "./support/repository.ts";

const page = textOf("docs/runbook.md");
const sections = headingsOf(page).map(anchorOf);

/** The headings of the third level that a section has, which are those of alarms where they are in `ALARMS`. */
const headingsIn = (section: string): readonly string[] => {
  const [, text = ""] = page.split(`\n## ${section}\n`);
  const [own = ""] = text.split("\n## ");
  return [...own.matchAll(/^### (.+)$/gm)].map(([, heading = ""]) => heading);
};

describe("every function", () => {
  test.each(foldersOf("functions"))("%s has a section in the runbook and a subsystem of its name", (folder) => {
    expect(sections).toContain(folder);
    expect(existsSync(join(ROOT, "infra/subsystems", `${folder}.ts`))).toBe(true);
  });
});

describe("every alarm (F63)", () => {
  const alarms = synthesize(example)
    .flatMap(({ template }) => ofType(template, "AWS::CloudWatch::Alarm"))
    .map(({ Properties: { AlarmName, AlarmDescription } }) => ({
      name: String(AlarmName),
      heading: /docs\/runbook\.md#(\S+)$/.exec(String(AlarmDescription))?.[1] ?? "none",
    }));
  const declared = Object.entries(ALARMS).flatMap(([section, headings]) =>
    headings.map((heading) => ({ section, heading })),
  );

  test("leads from its description to a heading of its very name", () => {
    expect(alarms.length).toBeGreaterThan(0);
    expect(alarms.filter(({ name, heading }) => !new RegExp(`^s3-geo-[a-z]+-${heading}$`).test(name))).toEqual([]);
    expect([...new Set(alarms.map(({ heading }) => heading))].sort()).toEqual(
      declared.map(({ heading }) => heading).sort(),
    );
  });

  test.each(declared)("$heading has its heading in the section of $section, and no other", ({ section, heading }) => {
    expect(headingsIn(section)).toContain(heading);
    expect(sections.filter((anchor) => anchor === heading)).toHaveLength(1);
  });

  test.each(declared)("$heading says when it goes off, and what to do", ({ heading }) => {
    const [, text = ""] = page.split(`\n### ${heading}\n`);
    const [own = ""] = text.split(/\n##+ /);
    const [when = "", ...what] = own.trim().split("\n\n");
    expect(when).toMatch(/^_[^_]+_$/s);
    expect(what.join(" ").length).toBeGreaterThan(80);
  });
});
