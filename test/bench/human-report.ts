import CliTable from "cli-table3";
import type { Bar } from "./bars.ts";
import { API_CALL_NAMES, type Figures, round, SCENARIO_NAMES, WALKED_SITE_NAMES } from "./figures.ts";
import { countUnits, type LedgerLine } from "./ledger.ts";
import type { ApiFigures } from "./measure-api.ts";
import type { BundleFigures } from "./measure-bundles.ts";
import type { LargeFigures } from "./measure-large.ts";
import type { Lags } from "./measure-lag.ts";
import type { ScenarioFigures } from "./measure-requests.ts";
import type { WalkFigures } from "./measure-walks.ts";
import { dollars } from "../../shared/geo/prices.ts";

const kilobytes = (bytes: number): string => `${(bytes / 1_000).toFixed(0)} KB`;

/** Names without what they all begin with, and buckets without the account and region at their end. */
const short = (name: string): string =>
  name.replace(/^s3-geo-/, "").replace(/^(.+)-\d{12}-[a-z0-9-]+$/, "bucket of $1");

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
    short(line.caller),
    `${line.service} ${line.operation}`,
    short(line.target),
    round(line.requests / per, 3),
    round(line.refused / per, 3),
    round(countUnits([line], "dynamodb_write_unit") / per, 3),
    round(line.indexWrites / per, 3),
    round((dollars(line.charges) / per) * 1e6, 3),
  ]);

const LINE_HEAD = ["Function", "Request", "Of", "Requests", "refused", "Write units", "of the index", "$ per million"];

const scenarioText = ({ name, objects, settled, lines, usdPerMillion }: ScenarioFigures): string => {
  const { requests, carryingBusy, carryingIdle } = usdPerMillion;
  return [
    `${SCENARIO_NAMES[name]}: ${settled} of ${objects} objects settled; per object`,
    table(LINE_HEAD, lineRows(lines, objects)),
    `$${requests.toFixed(2)} per million for these requests; about $${carryingBusy.toFixed(2)} (busy) to ` +
      `$${carryingIdle.toFixed(2)} (each by itself) for carrying events, invocations, time and logs`,
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

const walksText = (walks: readonly WalkFigures[]): string =>
  table(
    [
      "A walk through",
      "Objects",
      "Found",
      "Runs",
      "LIST",
      "of replicas",
      "BatchGetItem",
      "Messages",
      "Heap grew by",
      "$ per million",
    ],
    walks.map(({ site, objects, found, runs, requests, heapGrowthBytes, usdPerMillion: { lists, reads, sends } }) => [
      WALKED_SITE_NAMES[site],
      objects,
      found,
      runs,
      requests.lists.primary,
      requests.lists.replica,
      requests.rowBatches,
      requests.messages,
      kilobytes(heapGrowthBytes),
      round(lists + reads + sends, 4),
    ]),
  );

const apiText = (api: readonly ApiFigures[]): string =>
  table(
    ["Asked of the API", "Rows", "Reads", "p50 ms", "p99 ms", "Answer"],
    api.map(({ call, rows, reads, p50, p99, answerBytes }) => [
      API_CALL_NAMES[call],
      rows,
      reads,
      round(p50, 2),
      round(p99, 2),
      kilobytes(answerBytes),
    ]),
  );

const largeText = ({ bytes, parts, seconds, same, requests, cloudPeakBytes }: LargeFigures): string =>
  table(
    ["One large object", ""],
    [
      ["bytes", bytes],
      ["parts, planned and copied", `${parts.planned}, ${parts.copied}`],
      ["put within", `${seconds.put} s`],
      ["synced, and verified, after it was put", `${seconds.synced} s, ${seconds.verified} s`],
      ["replica read back", `${seconds.readBack} s, ${same ? "the same bytes" : "OTHER BYTES"}`],
      [
        "requests to S3 of the copying function",
        Object.entries(requests)
          .map(([operation, count]) => `${count} ${operation}`)
          .join("\n"),
      ],
      [
        "most memory of the cloud's process",
        cloudPeakBytes === undefined ? "not known" : `${Math.round(cloudPeakBytes / 1e6)} MB`,
      ],
    ],
  );

const barsText = (bars: readonly Bar[]): string =>
  table(
    ["Bar", "At most", "Measured", ""],
    bars.map(({ name, limit, actual, ok }) => [name, limit, round(actual, 3), ok ? "held" : "EXCEEDED"]),
  );

const standingTable = (lines: readonly LedgerLine[]): string =>
  table(
    ["Function", "Request", "Of", "Requests", "Read units"],
    lines.map((line) => [
      short(line.caller),
      `${line.service} ${line.operation}`,
      short(line.target),
      line.requests,
      countUnits([line], "dynamodb_read_unit"),
    ]),
  );

/** The figures for people. */
export const humanReport = ({ bundles, lag, requests, walks, api, large, bars, seconds }: Figures): string =>
  [
    ...(bundles === undefined ? [] : [bundlesText(bundles)]),
    ...(lag === undefined ? [] : [lagText(lag)]),
    ...(requests === undefined
      ? []
      : [
          ...requests.scenarios.map(scenarioText),
          `By the clock, in ${requests.standingSeconds.toFixed(0)} s\n${standingTable(requests.standing)}`,
        ]),
    ...(walks === undefined ? [] : [walksText(walks)]),
    ...(api === undefined ? [] : [apiText(api)]),
    ...(large === undefined ? [] : [largeText(large)]),
    barsText(bars),
    `${seconds.toFixed(0)} s`,
  ].join("\n\n");
