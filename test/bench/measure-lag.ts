import {
  benchKeys,
  type BenchWorld,
  isVerified,
  keyPrefix,
  lookUntil,
  put,
  putAll,
  registryRows,
  warmUp,
} from "./bench-world.ts";
import { percentiles, type Percentiles } from "./percentiles.ts";

/** From S3's answer to a put until its replica was read back and found equal, milliseconds. */
export interface LagFigures extends Percentiles {
  readonly objects: number;
  /** Objects that were not verified in time; they are in no other figure. */
  readonly late: number;
}

export interface Lags {
  readonly idle: LagFigures;
  readonly busy: LagFigures & { readonly objectsPerSecond: number };
}

const IDLE_OBJECTS = 20;
const BUSY_OBJECTS = 500;
const IDLE_LIMIT_MS = 5_000;
const BUSY_LIMIT_MS = 60_000;

/** The group of keys that each measurement uses. */
const GROUPS = { warm: 90, idle: 91, busy: 92 } as const;

const lagsOf = async (
  world: BenchWorld,
  group: number,
  putAt: ReadonlyMap<string, number>,
  limitMs: number,
): Promise<{ readonly lags: readonly number[]; readonly lastAt: number }> => {
  const { seen } = await lookUntil(
    () => registryRows(world, keyPrefix(group)),
    (rows) => [...putAt.keys()].every((key) => isVerified(rows.get(key))),
    limitMs,
  );
  const verified = [...putAt].flatMap(([key, at]) => {
    const row = seen.get(key);
    return row !== undefined && isVerified(row) && row.verified_at !== undefined
      ? [{ putAt: at, verifiedAt: row.verified_at }]
      : [];
  });
  return {
    lags: verified.map((one) => Math.max(0, one.verifiedAt - one.putAt)),
    lastAt: Math.max(...verified.map(({ verifiedAt }) => verifiedAt)),
  };
};

const idle = async (world: BenchWorld, detail: (text: string) => void): Promise<LagFigures> => {
  const lags: number[] = [];
  for (const [index, key] of benchKeys(GROUPS.idle, IDLE_OBJECTS).entries()) {
    detail(`one by one, ${index}/${IDLE_OBJECTS}`);
    const putAt = new Map([[key, await put(world, key, "idle")]]);
    lags.push(...(await lagsOf(world, GROUPS.idle, putAt, IDLE_LIMIT_MS)).lags);
  }
  return { objects: IDLE_OBJECTS, late: IDLE_OBJECTS - lags.length, ...percentiles(lags) };
};

const busy = async (world: BenchWorld, detail: (text: string) => void): Promise<Lags["busy"]> => {
  detail(`${BUSY_OBJECTS} at once`);
  const startedAt = Date.now();
  const putAt = await putAll(world, benchKeys(GROUPS.busy, BUSY_OBJECTS), "busy");
  const { lags, lastAt } = await lagsOf(world, GROUPS.busy, putAt, BUSY_LIMIT_MS);
  return {
    objects: BUSY_OBJECTS,
    late: BUSY_OBJECTS - lags.length,
    ...percentiles(lags),
    objectsPerSecond: (lags.length * 1_000) / (lastAt - startedAt),
  };
};

/** Measures lag on an idle and on a busy cloud. Cold starts are over before: those are in the bundles' figures. */
export const measureLag = async (world: BenchWorld, detail: (text: string) => void): Promise<Lags> => {
  detail("warming up");
  await warmUp(world, GROUPS.warm);
  return { idle: await idle(world, detail), busy: await busy(world, detail) };
};
