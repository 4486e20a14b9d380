import { expect, test } from "vitest";
import { OBSERVABILITY_PAGE, observabilityPage } from "../../infra/local/docs-observability.ts";
import { METRICS } from "../../shared/geo/metrics.ts";
import { TRANSITION_FIELDS } from "../../shared/geo/log-events.ts";
import { textOf } from "./support/repository.ts";

const page = textOf(OBSERVABILITY_PAGE);

const expected = await observabilityPage();

test("docs/observability.md is what `npm run docs:observability` makes of what is deployed and logged (F63, F106)", () => {
  expect(page).toBe(expected);
});

test("docs/observability.md says of every metric what it tells (F63)", () => {
  for (const metric of Object.values(METRICS))
    expect(page).toMatch(new RegExp(`^\\| \`${metric}\` +\\| \\w+ +\\| \\S.{20,}`, "m"));
});

test("docs/observability.md explains every field that a transition's line may have (F106)", () => {
  const [, fields = ""] = page.split("## Logs");
  for (const field of TRANSITION_FIELDS) expect(fields).toContain(`\`${field}\``);
});

test("docs/performance.md and README.md tell what the alarms cost that there are, and the same of a month", () => {
  const alarms = Number(/_(\d+) of them at one primary and one secondary/.exec(expected)?.[1]);
  const price = (alarms * 0.1).toFixed(2);
  expect(textOf("docs/performance.md")).toMatch(
    new RegExp(`\\| CloudWatch alarms +\\| ${alarms}, \\$0\\.10 each +\\| \\$${price} +\\|`),
  );
  const together = /\*\*together\*\* +\|[^|]*\| \*\*about \$(?<dollars>[\d.]+)\*\*/g;
  const months = [...textOf("docs/performance.md").matchAll(together)].map(([, dollars]) => dollars);
  const told = /idle, one primary and one secondary +\| about \*\*\$(?<dollars>[\d.]+) a month/.exec(
    textOf("README.md"),
  );
  expect(months).toContain(told?.groups?.["dollars"]);
});
