import type { DestroyingSite } from "../../shared/ports/destroy.ts";

/** A worker that dies in the middle of one of its calls. */
export class Died extends Error {
  override readonly name = "Died";
}

/** What a death is counted by: every call of the world that a worker makes, before it is carried out and after. */
export const mortal = (
  site: DestroyingSite,
  diesAt: number,
): { readonly site: DestroyingSite; readonly calls: () => number } => {
  let calls = 0;
  const watched = <Port extends object>(port: Port): Port =>
    new Proxy(port, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        return async (...args: readonly unknown[]): Promise<unknown> => {
          calls += 1;
          if (calls === diesAt) throw new Died(`before ${String(name)}`);
          const result: unknown = await Reflect.apply(value, target, args);
          calls += 1;
          if (calls === diesAt) throw new Died(`after ${String(name)}`);
          return result;
        };
      },
    });
  return {
    site: {
      ...site,
      bucket: watched(site.bucket),
      manifests: watched(site.manifests),
      siteTable: watched(site.siteTable),
      geoEvents: watched(site.geoEvents),
    },
    calls: () => calls,
  };
};

/** A worker who stands still at one of his calls, before it or after, while somebody else does all of the work. */
export const overtakenSite = (
  site: DestroyingSite,
  overtakenAt: number,
  work: () => Promise<unknown>,
): DestroyingSite => {
  let count = 0;
  const pause = async (): Promise<void> => {
    count += 1;
    if (count === overtakenAt) await work();
  };
  const paused = <Port extends object>(port: Port): Port =>
    new Proxy(port, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        return async (...args: readonly unknown[]): Promise<unknown> => {
          await pause();
          const result: unknown = await Reflect.apply(value, target, args);
          await pause();
          return result;
        };
      },
    });
  const { bucket, manifests, siteTable, geoEvents } = site;
  return {
    ...site,
    bucket: paused(bucket),
    manifests: paused(manifests),
    siteTable: paused(siteTable),
    geoEvents: paused(geoEvents),
  };
};
