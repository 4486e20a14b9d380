import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import example from "../../infra/examples/one-primary-three-secondaries.config.ts";
import { ofType, synthesize } from "../infra/support/templates.ts";
import { anchorOf, foldersOf, headingsOf, ROOT, textOf } from "./support/repository.ts";

const page = textOf("docs/runbook.md");
const sections = headingsOf(page).map(anchorOf);

describe("every function", () => {
  test.each(foldersOf("functions"))("%s has a section in the runbook and a subsystem of its name", (folder) => {
    expect(sections).toContain(folder);
    expect(existsSync(join(ROOT, "infra/subsystems", `${folder}.ts`))).toBe(true);
  });
});

describe("every alarm", () => {
  const alarms = synthesize(example).flatMap(({ template }) => ofType(template, "AWS::CloudWatch::Alarm"));
  const properties = alarms.map(({ Properties }) => Properties);

  test("says in its description where to read on, and that section exists", () => {
    expect(properties.length).toBeGreaterThan(0);
    for (const { AlarmName: name, AlarmDescription: description } of properties) {
      const [, section] = /docs\/runbook\.md#(\S+)$/.exec(String(description)) ?? [];
      expect(sections, String(name)).toContain(section);
    }
  });

  test("is named in the section that it leads to", () => {
    for (const { AlarmName: name, AlarmDescription: description } of properties) {
      const [, section = ""] = /docs\/runbook\.md#(\S+)$/.exec(String(description)) ?? [];
      const [, text = ""] = page.split(`\n## ${section}\n`);
      const [own = ""] = text.split("\n## ");
      // The page names the site by its role.
      const written = [...own.matchAll(/Alarm `([^`]+)`/g)].map(
        ([, alarm = ""]) => new RegExp(`^${alarm.replaceAll(/<[a-z]+>/g, "[a-z]+")}$`),
      );
      expect(
        written.some((pattern) => pattern.test(String(name))),
        `${String(name)} in section ${section}`,
      ).toBe(true);
    }
  });
});
