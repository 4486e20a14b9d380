import * as z from "zod/mini";
import type { TypeUsage, UsageAnswer, UsagePeriod } from "../geo/daily-usage.ts";

/** The answer of `GET /api/v4/geo_sites/:id/usage`. */

const TypeUsageContract = z.looseObject({
  replicable_name: z.string(),
  synced_count: z.number(),
  failed_count: z.number(),
  verified_count: z.number(),
  verification_failed_count: z.number(),
  removed_count: z.number(),
  changes_count: z.number(),
  objects_count: z.number(),
  bytes: z.number(),
}) satisfies z.ZodMiniType<TypeUsage>;

const UsagePeriodContract = z.looseObject({
  date: z.iso.date(),
  from: z.iso.datetime(),
  until: z.iso.datetime(),
  days_count: z.number(),
  complete: z.boolean(),
  types: z.array(TypeUsageContract),
}) satisfies z.ZodMiniType<UsagePeriod>;

export const UsageContract = z.looseObject({
  name: z.string(),
  primary: z.boolean(),
  as_of: z.iso.datetime(),
  days: z.array(UsagePeriodContract),
}) satisfies z.ZodMiniType<UsageAnswer>;
export type SiteUsage = z.infer<typeof UsageContract>;
