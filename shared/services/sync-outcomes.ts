import { BREAKER_EVIDENCE_MS, type BreakerKind, isBreakerKind } from "../geo/circuit-breaker.ts";
import { GeoError } from "../geo/errors.ts";
import type { ObjectRef } from "../geo/registry-row.ts";
import type { Clock } from "../ports/clock.ts";
import type { Table } from "../ports/table.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { tellOfFailures, tellOfSuccess } from "../tables/site/retry-sweep-item.ts";
import type { SyncResult } from "./blob-sync/attempt.ts";

/** A function in which an object of a type was copied so recently does not tell of the type's failures: it is not all of it. */
const SUCCESS_COUNTS_MS = 60_000;

/** A function tells of the failures of a type this often at most, however many there are. */
const TOLD_EVERY_MS = 10_000;

/** So many keys at most a function remembers to have counted, so that a few objects that fail again and again stay a few. */
const KEYS_REMEMBERED_MAX = 1_000;

/** What one function knows of a type. Times: milliseconds since the epoch; `-Infinity`: never. */
interface Known {
  failures: number;
  /** Keys that were counted since `countedSince`. */
  readonly counted: Set<string>;
  countedSince: number;
  kind: BreakerKind;
  isProbe: boolean;
  copiedAt: number;
  toldOfFailuresAt: number;
  copiedAsProbe: boolean;
}

/**
 * Tells the retry sweep when everything of a type fails for a reason that only a person can take away, and when something
 * works again. An attempt costs no request for it: one write, at most every ten seconds, by a function that sees failures
 * and no success; one write for a success after that, or of a probe.
 *
 * What it knows is in memory, and lost with the function: then it is told a little later.
 */
export class SyncOutcomes {
  readonly #siteTable: Pick<Table, "update">;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #known = new Map<string, Known>();

  constructor(siteTable: Pick<Table, "update">, clock: Clock, telemetry: Telemetry) {
    this.#siteTable = siteTable;
    this.#clock = clock;
    this.#telemetry = telemetry;
  }

  /** An attempt has ended. Only a copy proves that the type can be copied, and only some failures say that it can not. */
  note({ replicableName, key }: ObjectRef, result: SyncResult, isProbe: boolean): void {
    const now = this.#clock.now();
    if (result.result === "synced" && result.how === "copied") {
      const known = this.#of(replicableName);
      known.copiedAt = now;
      known.failures = 0;
      known.counted.clear();
      known.copiedAsProbe ||= isProbe;
    }
    if (result.result === "failed" && isBreakerKind(result.kind)) {
      const known = this.#of(replicableName);
      if (now - known.countedSince >= BREAKER_EVIDENCE_MS) {
        known.counted.clear();
        known.countedSince = now;
      }
      if (isProbe || !known.counted.has(key)) known.failures += 1;
      if (known.counted.size < KEYS_REMEMBERED_MAX) known.counted.add(key);
      known.kind = result.kind;
      known.isProbe ||= isProbe;
    }
  }

  /** Says what is to be said, if anything. Never throws for a table that does not answer: it is said again. */
  async tell(): Promise<void> {
    for (const [name, known] of this.#known) {
      try {
        await this.#tellOf(name, known);
      } catch (error) {
        if (!(error instanceof GeoError)) throw error;
        this.#telemetry.warn("the sweep could not be told of outcomes", { replicable: name, reason: error.message });
      }
    }
  }

  async #tellOf(name: string, known: Known): Promise<void> {
    const now = this.#clock.now();
    const toldLately = now - known.toldOfFailuresAt < BREAKER_EVIDENCE_MS;
    if (known.copiedAsProbe || (toldLately && known.copiedAt > known.toldOfFailuresAt)) {
      await this.#siteTable.update(tellOfSuccess(name, now));
      known.copiedAsProbe = false;
      known.toldOfFailuresAt = Number.NEGATIVE_INFINITY;
    }
    const { failures, isProbe } = known;
    if (failures === 0 || now - known.copiedAt < SUCCESS_COUNTS_MS) return;
    if (!isProbe && now - known.toldOfFailuresAt < TOLD_EVERY_MS) return;
    // Taken away first: messages of a batch are worked on side by side, and no failure is to be told of twice.
    known.failures = 0;
    known.isProbe = false;
    known.toldOfFailuresAt = now;
    await this.#siteTable.update(tellOfFailures(name, known.kind, failures, now));
  }

  #of(name: string): Known {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const never = Number.NEGATIVE_INFINITY;
    const fresh: Known = {
      failures: 0,
      counted: new Set(),
      countedSince: never,
      kind: "forbidden",
      isProbe: false,
      copiedAt: never,
      toldOfFailuresAt: never,
      copiedAsProbe: false,
    };
    this.#known.set(name, fresh);
    return fresh;
  }
}
