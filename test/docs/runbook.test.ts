import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import example from "../../infra/examples/one-primary-three-secondaries.config.ts";
import { ofType, synthesize } from "../infra/support/templates.ts";
import { anchorOf, foldersOf, headingsOf, ROOT, textOf } from "./support/repository.ts";

const page = textOf("docs/runbook.md");
const sections = headingsOf(page).map(anchorOf);

/** Whether the section that an alarm leads to speaks of it. The page says <site>, <primary> or <secondary> for a name. */
const isNamed = (alarm: string, section: string): boolean => {
  const [, text = ""] = page.split(`\n## ${section}\n`);
  const [own = ""] = text.split("\n## ");
  return [...own.matchAll(/Alarm `([^`]+)`/g)].some(([, name = ""]) =>
    new RegExp(`^${name.replaceAll(/<[a-z]+>/g, "[a-z]+")}$`).test(alarm),
  );
};

describe("every function", () => {
  test.each(foldersOf("functions"))("%s has a section in the runbook and a subsystem of its name", (folder) => {
    expect(sections).toContain(folder);
    expect(existsSync(join(ROOT, "infra/subsystems", `${folder}.ts`))).toBe(true);
  });
});

describe("every alarm", () => {
  /** Each alarm with the section that its description ends in. */
  const alarms = synthesize(example)
    .flatMap(({ template }) => ofType(template, "AWS::CloudWatch::Alarm"))
    .map(({ Properties: { AlarmName, AlarmDescription } }) => ({
      name: String(AlarmName),
      section: /docs\/runbook\.md#(\S+)$/.exec(String(AlarmDescription))?.[1] ?? "none",
    }));

  test("says in its description where to read on, and that section exists", () => {
    expect(alarms.length).toBeGreaterThan(0);
    expect(alarms.filter(({ section }) => !sections.includes(section))).toEqual([]);
  });

  test("is named in the section that it leads to", () => {
    expect(alarms.filter(({ name, section }) => !isNamed(name, section))).toEqual([]);
  });
});
