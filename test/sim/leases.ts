import type { Item } from "../../shared/ports/table.ts";
import type { Report } from "./transitions.ts";

/** Who sends a write of the registry: what the world knows of the sender, and not what the row is told. */
export interface Sent {
  /** The attempt that it is made for, where it is made for one. */
  readonly token: string | undefined;
  /** When it was sent, by a right clock. It may arrive later. */
  readonly at: number;
  /** How far the clock of the sender's machine was ahead then, milliseconds. */
  readonly skewMs: number;
}

/** How long a row is its holder's. */
interface Lease {
  /** When it is over, by a right clock: as long after its claim was sent as every lease lasts. */
  readonly endsAt: number;
  readonly skewMs: number;
}

/**
 * S6: nobody takes a row from its holder while the lease is alive, be it to claim it or to fail it for having timed out.
 * Whoever takes it goes by a clock, and may come early by as much as that clock is ahead of the one by which the row was
 * claimed: where clocks are right, by nothing. What the row says of its lease is not asked; a lease that is written down too
 * short is one that is taken while it lives.
 */
export class Leases {
  readonly #report: Report;
  readonly #now: () => number;
  readonly #leaseMs: number;
  /** By what a row says of its holder, which a backup may bring back: the token, and the end as the holder wrote it down. */
  readonly #known = new Map<string, Lease>();
  #sent: Sent | undefined;

  /** @param leaseMs how long every lease lasts */
  constructor(report: Report, now: () => number, leaseMs: number) {
    this.#report = report;
    this.#now = now;
    this.#leaseMs = leaseMs;
  }

  /** Carries a write out: the table tells of its changes before this returns. */
  carryOut<Answer>(sent: Sent, carryOut: () => Answer): Answer {
    this.#sent = sent;
    try {
      return carryOut();
    } finally {
      this.#sent = undefined;
    }
  }

  /** A row was made or changed. */
  changed(key: string, before: Item | undefined, after: Item): void {
    const now = this.#now();
    const sent = this.#sent ?? { token: undefined, at: now, skewMs: 0 };
    const [held, holds] = [holdingOf(before), holdingOf(after)];
    if (held !== undefined && held.token !== holds?.token) this.#checkOver(key, held, sent, now);
    if (holds !== undefined && !this.#known.has(holds.name)) {
      this.#known.set(holds.name, { endsAt: sent.at + this.#leaseMs, skewMs: sent.skewMs });
    }
  }

  #checkOver(key: string, held: Holding, sent: Sent, now: number): void {
    const lease = this.#known.get(held.name);
    // Whoever holds a row lets go of it when they like.
    if (lease === undefined || sent.token === held.token) return;
    const leftMs = Math.ceil(lease.endsAt - now);
    if (leftMs <= sent.skewMs - lease.skewMs) return;
    const clocks = `clocks ahead by ${sent.skewMs} and ${lease.skewMs} ms`;
    this.#report(
      "S6",
      `${key}: ${sent.token ?? "somebody"} took the row from ${held.token}, whose lease had ${leftMs} ms left, ${clocks}`,
    );
  }
}

/** Who holds a row, and what tells this lease of theirs from every other. */
interface Holding {
  readonly token: string;
  readonly name: string;
}

const holdingOf = (row: Item | undefined): Holding | undefined => {
  const [token, until] = [row?.["attempt_token"], row?.["lease_until"]];
  if (typeof token !== "string") return undefined;
  return { token, name: `${token} ${typeof until === "number" ? until : ""}` };
};
