import type { BilledRequest, Service } from "./billed-request.ts";
import type { Charge, Priced } from "../../shared/geo/prices.ts";

/** Requests of one kind. */
export interface LedgerLine {
  readonly caller: string;
  readonly service: Service;
  readonly operation: string;
  readonly target: string;
  readonly requests: number;
  readonly messages: number;
  /** Those among the requests that were refused. */
  readonly refused: number;
  readonly indexWrites: number;
  readonly charges: readonly Charge[];
}

const addCharges = (left: readonly Charge[], right: readonly Charge[]): readonly Charge[] => {
  const sums = new Map<Priced, number>();
  for (const { item, units } of [...left, ...right]) sums.set(item, (sums.get(item) ?? 0) + units);
  return [...sums].map(([item, units]) => ({ item, units }));
};

/** Adds requests up, by who asked what of whom; in the order of services, operations and callers. */
export const tally = (requests: readonly BilledRequest[]): readonly LedgerLine[] => {
  const lines = new Map<string, LedgerLine>();
  for (const { caller, service, operation, target, messages, indexWrites, charges, refused } of requests) {
    const kind = { caller, service, operation, target };
    const id = JSON.stringify([service, operation, target, caller]);
    const line = lines.get(id) ?? { ...kind, requests: 0, messages: 0, refused: 0, indexWrites: 0, charges: [] };
    lines.set(id, {
      ...kind,
      requests: line.requests + 1,
      messages: line.messages + messages,
      refused: line.refused + (refused ? 1 : 0),
      indexWrites: line.indexWrites + indexWrites,
      charges: addCharges(line.charges, charges),
    });
  }
  return [...lines].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, line]) => line);
};

/** What some lines have in common. */
export type LineFilter = (line: LedgerLine) => boolean;

/** How many requests the lines that fit have together. */
export const countRequests = (lines: readonly LedgerLine[], fits: LineFilter): number =>
  lines.filter(fits).reduce((sum, { requests }) => sum + requests, 0);

/** How many units of something the lines that fit were charged. */
export const countUnits = (lines: readonly LedgerLine[], item: Priced, fits: LineFilter = () => true): number =>
  lines
    .filter(fits)
    .flatMap(({ charges }) => charges)
    .reduce((sum, charge) => sum + (charge.item === item ? charge.units : 0), 0);

/** How many messages went to a target. */
export const countMessages = (lines: readonly LedgerLine[], target: string): number =>
  lines.filter((line) => line.target === target).reduce((sum, { messages }) => sum + messages, 0);
