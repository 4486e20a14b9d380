import { STANDING_KEPT_MS } from "../../shared/geo/limits.ts";
import { FIRST_STANDING, type SiteStanding } from "../../shared/geo/site-standing.ts";
import type { MemoryTable } from "../../shared/memory/table.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type { StandingReader } from "../../shared/ports/site.ts";
import type { Item, ItemKey, Table } from "../../shared/ports/table.ts";
import { CachedSiteRecord } from "../../shared/services/cached-site-record.ts";
import { siteRecordKey } from "../../shared/tables/site/site-record.ts";
import type { Invocation, Machine } from "./calls.ts";
import type { Report } from "./transitions.ts";

/** The site's standing as its record has it, whether or not anybody could make sense of it. */
const standingOf = (record: Item | undefined): SiteStanding => ({
  role: (record?.["role"] ?? FIRST_STANDING.role) as SiteStanding["role"],
  epoch: Number(record?.["epoch"] ?? FIRST_STANDING.epoch),
  ...(record?.["enabled"] === false ? { paused: true } : {}),
});

/** What the functions that run on one machine, one after the other, know of the site they belong to. */
interface Environment {
  readonly reader: StandingReader;
  /** The process that runs in it, and how that reaches the site's table. */
  process: Invocation;
  table: Pick<Table, "get">;
  /** The record as it was read last, and when by the machine's own clock. */
  known: { readonly standing: SiteStanding; readonly askedAt: number } | undefined;
}

/**
 * S7, the soft fence. Keeps what each machine knows of the site's standing as Lambda does, across the processes that run on
 * it until one of them has to be ended, and watches every write that is sent to S3: whoever began under another epoch, or
 * in a site that is no secondary now or is paused, must not send one any more once they know, or once what they know is too
 * old.
 */
export class Fence {
  readonly #report: Report;
  readonly #environments = new Map<Machine, Environment>();
  readonly #environmentOf = new Map<Invocation, Environment>();
  /** The site's epoch when a process claimed a row, by process and key. */
  readonly #claimedIn = new Map<string, number>();
  #now: SiteStanding = FIRST_STANDING;

  constructor(report: Report, siteTable: MemoryTable) {
    this.#report = report;
    siteTable.onChange(({ key, after }) => {
      if (key.pk === siteRecordKey.pk && key.sk === siteRecordKey.sk) this.#now = standingOf(after);
    });
  }

  /** How a process reads its site's standing. */
  reader(process: Invocation, table: Pick<Table, "get">, clock: Clock): StandingReader {
    const before = this.#environments.get(process.machine);
    // Where a process died or was given up on, Lambda starts anew; what froze there goes on by itself.
    const environment =
      before === undefined || before.process.dead || before.process.zombie
        ? this.#environment(process, table, clock)
        : before;
    environment.process = process;
    environment.table = table;
    this.#environments.set(process.machine, environment);
    this.#environmentOf.set(process, environment);
    return environment.reader;
  }

  /** A process claimed a row, or claimed it anew. */
  claimed(process: string, key: string): void {
    this.#claimedIn.set(`${process} ${key}`, this.#now.epoch);
  }

  /** A process sends a write to S3. @param clockNow the time by the clock of its machine */
  writes(process: Invocation, key: string, clockNow: number): void {
    const known = this.#environmentOf.get(process)?.known;
    const { role, epoch, paused } = known?.standing ?? FIRST_STANDING;
    const age = clockNow - (known?.askedAt ?? 0);
    const said = `${process.name} writes ${key}`;
    const isOther = this.#now.epoch !== epoch || this.#now.role !== role || this.#now.paused !== paused;
    if ((age >= STANDING_KEPT_MS || age < 0) && isOther) {
      this.#report("S7", `${said} on a standing that is ${age} ms old: the site is ${JSON.stringify(this.#now)}`);
    }
    if (role !== "secondary") this.#report("S7", `${said} although it knows that the site is ${role} now`);
    if (paused) this.#report("S7", `${said} although it knows that the site is paused`);
    const began = this.#claimedIn.get(`${process.name} ${key}`);
    if (began !== undefined && epoch > began) {
      this.#report("S7", `${said}, claimed in epoch ${began}, although it knows of epoch ${epoch}`);
    }
  }

  #environment(process: Invocation, table: Pick<Table, "get">, clock: Clock): Environment {
    const get = async (key: ItemKey): Promise<Item | undefined> => {
      const askedAt = clock.now();
      const record = await environment.table.get(key);
      environment.known = { standing: standingOf(record), askedAt };
      return record;
    };
    const environment: Environment = {
      reader: new CachedSiteRecord({ get }, clock).standing,
      process,
      table,
      known: undefined,
    };
    return environment;
  }
}
