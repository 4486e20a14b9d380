import { type Figures, round } from "./figures.ts";
import { countUnits, type LedgerLine } from "./ledger.ts";
import type { LargeFigures } from "./measure-large.ts";
import type { Lags } from "./measure-lag.ts";
import { dollars } from "../../shared/geo/prices.ts";

const lineDocument = (line: LedgerLine, per: number) => ({
  function: line.caller,
  service: line.service,
  operation: line.operation,
  target: line.target,
  requests: round(line.requests / per, 4),
  refused: round(line.refused / per, 4),
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

const largeDocument = ({ bytes, parts, seconds, verified, same, requests, cloudPeakBytes }: LargeFigures) => ({
  bytes,
  parts_planned: parts.planned,
  parts_copied: parts.copied,
  put_s: seconds.put,
  synced_s: seconds.synced,
  verified_s: seconds.verified,
  read_back_s: seconds.readBack,
  verified,
  same,
  requests,
  cloud_peak_bytes: cloudPeakBytes ?? null,
});

/** The document of `--json`; its names are a contract. Requests and units are per object, except those by the clock. */
export const jsonDocument = ({ cloud, bundles, lag, requests, walks, api, large, bars, seconds }: Figures) => ({
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
  ...(walks === undefined
    ? {}
    : {
        walks: walks.map(
          ({ site, objects, found, runs, requests: asked, readUnits, heapGrowthBytes, usdPerMillion }) => ({
            site,
            objects,
            found,
            runs,
            source_lists: asked.lists.primary,
            replica_lists: asked.lists.replica,
            row_batches: asked.rowBatches,
            read_units: readUnits,
            messages: asked.messages,
            heap_growth_bytes: heapGrowthBytes,
            usd_per_million: {
              lists: round(usdPerMillion.lists, 4),
              reads: round(usdPerMillion.reads, 4),
              sends: round(usdPerMillion.sends, 4),
            },
          }),
        ),
      }),
  ...(api === undefined
    ? {}
    : {
        api: api.map(({ call, rows, reads, p50, p99, answerBytes }) => ({
          call,
          rows,
          reads,
          p50_ms: round(p50, 3),
          p99_ms: round(p99, 3),
          answer_bytes: answerBytes,
        })),
      }),
  ...(large === undefined ? {} : { large: largeDocument(large) }),
  bars,
  ok: bars.every(({ ok }) => ok),
  seconds: round(seconds, 1),
});
