/**
 * Writes the tables of docs/observability.md from what is deployed and logged: `npm run docs:observability`. The page's own
 * words stay as they are: what stands between `<!-- name -->` and `<!-- end -->` is replaced.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "aws-cdk-lib";
import * as z from "zod";
import { formatted } from "../../cli/scaffold/formatted.ts";
import { TRANSITION_EVENTS } from "../../shared/geo/log-events.ts";
import { COUNT_METRICS, DURATION_METRICS, GAUGE_METRICS } from "../../shared/geo/metrics.ts";
import { ALARMS } from "../constructs/alarm-names.ts";
import { SAVED_QUERIES } from "../constructs/saved-queries.ts";
import { addGeoStacks } from "../geo-app.ts";
import localConfig from "./geo.config.ts";
import { ROOT } from "./paths.ts";

export const OBSERVABILITY_PAGE = "docs/observability.md";

/** A table's row. */
const row = (...cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;

const table = (head: readonly string[], rows: readonly string[]): string =>
  [row(...head), row(...head.map(() => "---")), ...rows].join("\n");

/** What stands above each name in shared/geo/metrics.ts. */
const meanings = async (): Promise<ReadonlyMap<string, string>> => {
  const source = await readFile(join(ROOT, "shared/geo/metrics.ts"), "utf8");
  return new Map(
    [...source.matchAll(/\/\*\*(?<text>(?:(?!\*\/)[\s\S])*)\*\/\s+\w+: "(?<name>\w+)"/g)].map(({ groups }) => [
      groups?.["name"] ?? "",
      (groups?.["text"] ?? "").replaceAll(/\s*\n\s*\*\s?/g, " ").trim(),
    ]),
  );
};

const metricsTable = async (): Promise<string> => {
  const of = await meanings();
  const rows = (names: Readonly<Record<string, string>>, unit: (name: string) => string): readonly string[] =>
    Object.values(names).map((name) => row(`\`${name}\``, unit(name), of.get(name) ?? "?"));
  return table(
    ["metric", "unit", "what it tells"],
    [
      ...rows(COUNT_METRICS, () => "count"),
      ...rows(DURATION_METRICS, () => "ms"),
      ...rows(GAUGE_METRICS, (name) => (name.endsWith("Age") ? "s" : "count")),
    ],
  );
};

const Alarm = z.object({
  AlarmName: z.string(),
  Namespace: z.string(),
  MetricName: z.string(),
  Statistic: z.string(),
  Period: z.number(),
  Threshold: z.number(),
  EvaluationPeriods: z.number(),
  TreatMissingData: z.string(),
});
const Resources = z.object({
  Resources: z.record(z.string(), z.object({ Type: z.string(), Properties: z.unknown() })),
});

/** The alarms of one primary and one secondary, as they are deployed. */
const deployedAlarms = (): readonly z.infer<typeof Alarm>[] => {
  const outdir = mkdtempSync(join(tmpdir(), "geo-alarms-"));
  try {
    const app = new App({ outdir, context: { "aws:cdk:bundling-stacks": [] } });
    addGeoStacks(app, localConfig);
    return app
      .synth()
      .stacks.flatMap(({ template }) => Object.values(Resources.parse(template).Resources))
      .filter(({ Type }) => Type === "AWS::CloudWatch::Alarm")
      .map(({ Properties }) => Alarm.parse(Properties));
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
};

/** Seconds in words: 300 → "5 min". */
const spanOf = (seconds: number): string => {
  if (seconds % 3_600 === 0) return `${seconds / 3_600} h`;
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
};

const whenOf = (alarm: z.infer<typeof Alarm>): string => {
  const amount = alarm.MetricName.includes("Age") ? spanOf(alarm.Threshold) : String(alarm.Threshold);
  const bound = alarm.TreatMissingData === "breaching" ? `below ${amount}, or silent` : `${amount} or more`;
  const periods = alarm.EvaluationPeriods === 1 ? "" : `${alarm.EvaluationPeriods} × `;
  return `${bound} in ${periods}${spanOf(alarm.Period)}`;
};

const alarmsTable = (deployed: ReturnType<typeof deployedAlarms>): string => {
  const rows = Object.values(ALARMS)
    .flat()
    .map((heading) => {
      const own = deployed.filter(
        ({ AlarmName }) => /^s3-geo-[a-z]+-(?<rest>.+)$/.exec(AlarmName)?.groups?.["rest"] === heading,
      );
      const [alarm] = own;
      if (alarm === undefined) throw new Error(`expected an alarm ${heading} in the templates, got none`);
      const atPrimary = own.some(({ AlarmName }) => AlarmName.includes("-virginia-"));
      const atSecondary = own.some(({ AlarmName }) => AlarmName.includes("-ireland-"));
      const where = atPrimary && atSecondary ? "both" : atPrimary ? "primary" : "secondary";
      const metric = `${alarm.Namespace} \`${alarm.MetricName}\``;
      return row(`[${heading}](runbook.md#${heading})`, where, metric, whenOf(alarm));
    });
  return table(["alarm", "at", "watches", "goes off at"], rows);
};

const linesTable = (): string =>
  table(
    ["`message`", "level", "`from` → `to`", "what it tells"],
    Object.entries(TRANSITION_EVENTS).map(([event, { of, level, from, to, meaning }]) =>
      row(`\`${event}\``, level, `${of}: ${from} → ${to}`, meaning),
    ),
  );

const queriesText = (): string =>
  SAVED_QUERIES.map(
    ({ name, answers, lines }) => `**${name}.** ${answers}\n\n\`\`\`text\n${lines.join("\n| ")}\n\`\`\``,
  ).join("\n\n");

/** The page as it should be. */
export const observabilityPage = async (): Promise<string> => {
  const deployed = deployedAlarms();
  const parts: Readonly<Record<string, string>> = {
    alarms: `_${deployed.length} of them at one primary and one secondary._\n\n${alarmsTable(deployed)}`,
    metrics: await metricsTable(),
    lines: linesTable(),
    queries: queriesText(),
  };
  const text = await readFile(join(ROOT, OBSERVABILITY_PAGE), "utf8");
  const filled = text.replaceAll(/(?<begin><!-- (?!end)(?<name>\w+) -->)[\s\S]*?(?=<!-- end -->)/g, (...match) => {
    const { begin = "", name = "" } = match.at(-1) as Readonly<Record<string, string>>; // the groups come last
    const part = parts[name];
    if (part === undefined) throw new Error(`expected one of ${Object.keys(parts).join(", ")}, got ${name}`);
    return `${begin}\n\n${part}\n\n`;
  });
  return formatted(ROOT, OBSERVABILITY_PAGE, filled);
};

if (import.meta.main) await writeFile(join(ROOT, OBSERVABILITY_PAGE), await observabilityPage());
