import type { Bar } from "./bars.ts";
import type { ApiCall, ApiFigures } from "./measure-api.ts";
import type { BundleFigures } from "./measure-bundles.ts";
import type { LargeFigures } from "./measure-large.ts";
import type { Lags } from "./measure-lag.ts";
import type { RequestFigures, ScenarioName } from "./measure-requests.ts";
import type { WalkedSite, WalkFigures } from "./measure-walks.ts";

/** All that one run measured. A part that was not asked for is absent. */
export interface Figures {
  readonly cloud?: { readonly name: string; readonly version: string };
  readonly bundles?: readonly BundleFigures[];
  readonly lag?: Lags;
  readonly requests?: RequestFigures;
  readonly walks?: readonly WalkFigures[];
  readonly api?: readonly ApiFigures[];
  readonly large?: LargeFigures;
  readonly bars: readonly Bar[];
  readonly seconds: number;
}

/** What people call each kind of change. */
export const SCENARIO_NAMES: Readonly<Record<ScenarioName, string>> = {
  new: "New",
  duplicate_event: "An event that comes twice",
  updated: "Overwritten in place",
  deleted: "Deleted",
  new_without_strong_checksum: "New, and S3 stores no digest of 64 bits",
};

/** What people call what a walk finds. */
export const WALKED_SITE_NAMES: Readonly<Record<WalkedSite, string>> = {
  new: "A new site, which has nothing yet",
  settled: "A site that has all of it",
  lost_events: "A site that lost one event in forty",
};

/** What people call each kind of call. */
export const API_CALL_NAMES: Readonly<Record<ApiCall, string>> = {
  status: "The status of a site",
  registries_page: "A page of 20 registries, with their count",
  metrics: "The metrics",
};

/** A figure with at most so many decimals. */
export const round = (value: number, digits: number): number => Number(value.toFixed(digits));
