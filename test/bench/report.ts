import CliTable from "cli-table3";
import type { Bar } from "./bars.ts";
import { countUnits, type LedgerLine } from "./ledger.ts";
import type { BundleFigures } from "./measure-bundles.ts";
import type { Lags } from "./measure-lag.ts";
import type { RequestFigures, ScenarioFigures } from "./measure-requests.ts";
import { dollars } from "./prices.ts";

/** All that one run measured. A part that was not asked for is absent. */
export interface Figures {
  readonly cloud?: { readonly name: string; readonly version: string };
  readonly bundles?: readonly BundleFigures[];
  readonly lag?: Lags;
  readonly requests?: RequestFigures;
  readonly bars: readonly Bar[];
  readonly seconds: number;
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits));
const kilobytes = (bytes: number): string => `${(bytes / 1_000).toFixed(0)} KB`;

/** An installation's and a site's name in front of a function's, bucket's or table's say nothing here. */
const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string => {
  const made = new CliTable({
    head: [...head],
    colAligns: head.map((_, column) => (typeof rows[0]?.[column] === "number" ? "right" : "left")),
    style: { head: [], border: [] },
  });
  made.push(...rows.map((row) => [...row]));
  return made.toString();
};

const lineRows = (lines: readonly LedgerLine[], per: number): (string | number)[][] =>
  lines.map((line) => [
    line.caller,
    `${line.service} ${line.operation}`,
    line.target,
    round(line.requests / per, 3),
    round(countUnits([line], "dynamodb_write_unit") / per, 3),
    round((dollars(line.charges) / per) * 1e6, 3),
  ]);

const LINE_HEAD = ["Function", "Request", "Of", "Per object", "Write units", "$ per million"];

const scenarioText = ({ name, objects, settled, lines, usdPerMillion }: ScenarioFigures): string => {
  const { requests, carryingBusy, carryingIdle } = usdPerMillion;
  return [
    `${name.replaceAll("_", " ")}: ${settled} of ${objects} objects settled`,
    table(LINE_HEAD, lineRows(lines, objects)),
    `$${requests.toFixed(2)} per million for these requests; about $${carryingBusy.toFixed(2)} (busy, batches of ten) to ` +
      `$${carryingIdle.toFixed(2)} (idle, one by one) for carrying events, invocations, time and logs`,
  ].join("\n");
};

const bundlesText = (bundles: readonly BundleFigures[]): string =>
  table(
    ["Function", "Bundle", "Compressed", "Loaded in ms", "Budget"],
    bundles.map(({ folder, bytes, gzipBytes, importMs, budgetBytes }) => [
      folder,
      kilobytes(bytes),
      kilobytes(gzipBytes),
      round(importMs, 0),
      kilobytes(budgetBytes),
    ]),
  );

const lagText = ({ idle, busy }: Lags): string =>
  [
    table(
      ["From put to verified", "Objects", "p50 ms", "p99 ms", "max ms", "late"],
      [
        ["one by one", idle.objects, idle.p50, idle.p99, idle.max, idle.late],
        ["all at once", busy.objects, busy.p50, busy.p99, busy.max, busy.late],
      ],
    ),
    `${busy.objectsPerSecond.toFixed(0)} objects per second, puts included`,
  ].join("\n");

const barsText = (bars: readonly Bar[]): string =>
  table(
    ["Bar", "At most", "Measured", ""],
    bars.map(({ name, limit, actual, ok }) => [name, limit, round(actual, 3), ok ? "held" : "EXCEEDED"]),
  );

/** The figures for people. */
export const humanReport = ({ bundles, lag, requests, bars, seconds }: Figures): string =>
  [
    ...(bundles === undefined ? [] : [bundlesText(bundles)]),
    ...(lag === undefined ? [] : [lagText(lag)]),
    ...(requests === undefined
      ? []
      : [
          ...requests.scenarios.map(scenarioText),
          `By the clock, in ${requests.standingSeconds.toFixed(0)} s:\n${table(LINE_HEAD, lineRows(requests.standing, 1))}`,
        ]),
    barsText(bars),
    `${seconds.toFixed(0)} s`,
  ].join("\n\n");

const lineDocument = (line: LedgerLine, per: number) => ({
  function: line.caller,
  service: line.service,
  operation: line.operation,
  target: line.target,
  requests: round(line.requests / per, 4),
  messages: round(line.messages / per, 4),
  write_units: round(countUnits([line], "dynamodb_write_unit") / per, 4),
  index_write_units: round(line.indexWrites / per, 4),
  read_units: round(countUnits([line], "dynamodb_read_unit") / per, 4),
  usd_per_million: round((dollars(line.charges) / per) * 1e6, 4),
});

const lagDocument = ({ idle, busy }: Lags) => ({
  idle: { objects: idle.objects, p50: idle.p50, p99: idle.p99, max: idle.max, late: idle.late },
  busy: {
    objects: busy.objects,
    p50: busy.p50,
    p99: busy.p99,
    max: busy.max,
    late: busy.late,
    objects_per_s: round(busy.objectsPerSecond, 1),
  },
});

/** The document of `--json`; its names are a contract. Requests and units are per object, except those by the clock. */
export const jsonDocument = ({ cloud, bundles, lag, requests, bars, seconds }: Figures) => ({
  ...(cloud === undefined ? {} : { cloud }),
  ...(bundles === undefined
    ? {}
    : {
        bundles: bundles.map(({ folder, bytes, gzipBytes, importMs, budgetBytes }) => ({
          function: folder,
          bytes,
          gzip_bytes: gzipBytes,
          import_ms: round(importMs, 1),
          budget_bytes: budgetBytes,
        })),
      }),
  ...(lag === undefined ? {} : { lag_ms: lagDocument(lag) }),
  ...(requests === undefined
    ? {}
    : {
        requests: requests.scenarios.map(({ name, objects, settled, lines, logBytes, usdPerMillion }) => ({
          scenario: name,
          objects,
          settled,
          lines: lines.map((line) => lineDocument(line, objects)),
          log_bytes: round(logBytes / objects, 1),
          usd_per_million: {
            requests: round(usdPerMillion.requests, 3),
            carrying_busy: round(usdPerMillion.carryingBusy, 3),
            carrying_idle: round(usdPerMillion.carryingIdle, 3),
          },
        })),
        standing: {
          seconds: round(requests.standingSeconds, 1),
          lines: requests.standing.map((line) => lineDocument(line, 1)),
        },
      }),
  bars,
  ok: bars.every(({ ok }) => ok),
  seconds: round(seconds, 1),
});
