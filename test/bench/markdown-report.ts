import { API_CALL_NAMES, type Figures, round, SCENARIO_NAMES, WALKED_SITE_NAMES } from "./figures.ts";
import { countRequests, countUnits } from "./ledger.ts";
import type { ScenarioFigures } from "./measure-requests.ts";

const markdownTable = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");

const scenarioRow = ({ name, objects, lines, logBytes, usdPerMillion }: ScenarioFigures): (string | number)[] => {
  const per = (count: number): number => round(count / objects, 2);
  const s3 = (operation: string): number =>
    per(countRequests(lines, (line) => line.service === "s3" && line.operation === operation));
  return [
    SCENARIO_NAMES[name],
    s3("HeadObject"),
    s3("GetObject"),
    s3("GetObjectTagging"),
    s3("CopyObject"),
    s3("DeleteObject"),
    per(countRequests(lines, ({ service }) => service === "sqs" || service === "sns")),
    per(countUnits(lines, "dynamodb_write_unit")),
    per(countUnits(lines, "dynamodb_read_unit")),
    per(logBytes),
    `$${usdPerMillion.requests.toFixed(2)}`,
    `$${usdPerMillion.carryingBusy.toFixed(2)} – ${usdPerMillion.carryingIdle.toFixed(2)}`,
  ];
};

/** The figures as docs/performance.md shows them. */
export const markdownReport = ({ cloud, bundles, lag, requests, walks, api, large }: Figures): string =>
  [
    ...(requests === undefined || cloud === undefined
      ? []
      : [
          `Per object, over both regions, counted on ${cloud.name} ${cloud.version}; dollars per million, carrying estimated (busy – alone):`,
          markdownTable(
            [
              "change",
              "HEAD",
              "GET",
              "GET tags",
              "COPY",
              "DELETE",
              "sends",
              "write units",
              "read units",
              "log bytes",
              "requests",
              "carrying and logs",
            ],
            requests.scenarios.map(scenarioRow),
          ),
        ]),
    ...(lag === undefined
      ? []
      : [
          "From put to verified, milliseconds:",
          markdownTable(
            ["", "objects", "p50", "p99", "max"],
            [
              ["one by one", lag.idle.objects, lag.idle.p50, lag.idle.p99, lag.idle.max],
              ["all at once", lag.busy.objects, lag.busy.p50, lag.busy.p99, lag.busy.max],
            ],
          ),
        ]),
    ...(walks === undefined
      ? []
      : [
          "One walk through history; what it finds is handed over a hundred keys a message. Dollars per million objects, counted:",
          markdownTable(
            [
              "a walk through",
              "objects",
              "found",
              "runs",
              "LIST of sources",
              "LIST of replicas",
              "BatchGetItem",
              "read units",
              "messages",
              "heap grew by, KB",
              "LIST",
              "reads",
              "sends",
            ],
            walks.map(({ site, objects, found, runs, requests: asked, readUnits, heapGrowthBytes, usdPerMillion }) => [
              WALKED_SITE_NAMES[site],
              objects,
              found,
              runs,
              asked.lists.primary,
              asked.lists.replica,
              asked.rowBatches,
              readUnits,
              asked.messages,
              Math.round(heapGrowthBytes / 1_000),
              `$${usdPerMillion.lists.toFixed(4)}`,
              `$${usdPerMillion.reads.toFixed(4)}`,
              `$${usdPerMillion.sends.toFixed(4)}`,
            ]),
          ),
        ]),
    ...(api === undefined
      ? []
      : [
          "Asked of the API, in the function alone: no network, tables in memory. Milliseconds of 200 calls each:",
          markdownTable(
            ["call", "rows", "reads", "p50", "p99", "answer, KB"],
            api.map(({ call, rows, reads, p50, p99, answerBytes }) => [
              API_CALL_NAMES[call],
              rows,
              reads,
              round(p50, 2),
              round(p99, 2),
              Math.round(answerBytes / 1_000),
            ]),
          ),
        ]),
    ...(large === undefined
      ? []
      : [
          "One large object; the requests are those of the function that copied:",
          markdownTable(
            ["bytes", "parts", "put, s", "synced, s", "verified, s", "requests", "the cloud's memory, MB"],
            [
              [
                large.bytes,
                large.parts.copied,
                large.seconds.put,
                large.seconds.synced,
                large.seconds.verified,
                Object.entries(large.requests)
                  .map(([operation, count]) => `${count} ${operation}`)
                  .join(", "),
                large.cloudPeakBytes === undefined ? "not known" : Math.round(large.cloudPeakBytes / 1e6),
              ],
            ],
          ),
        ]),
    ...(bundles === undefined
      ? []
      : [
          "Bundles, and the median of ten loads in a fresh process:",
          markdownTable(
            ["function", "KB", "compressed KB", "budget KB", "load, ms"],
            bundles.map(({ folder, bytes, gzipBytes, importMs, budgetBytes }) => [
              folder,
              ...[bytes, gzipBytes, budgetBytes].map((one) => Math.round(one / 1_000)),
              round(importMs, 0),
            ]),
          ),
        ]),
  ].join("\n\n");
