import type { GeoEventName } from "./geo-message.ts";

/**
 * How a kind of data is replicated, and with it which events it may publish (F3-F5). Blobs have no `updated`, as in Geo:
 * a key that is overwritten publishes `created` again, and the consumer looks at the primary either way.
 */
export const STRATEGIES = {
  blob: { events: ["created", "deleted", "checksum_succeeded"] },
  repository: { events: ["created", "updated", "deleted", "checksum_succeeded"] },
  custom: { events: ["created", "updated", "deleted", "checksum_succeeded"] },
} as const satisfies Record<string, { readonly events: readonly GeoEventName[] }>;

export type StrategyName = keyof typeof STRATEGIES;

/** The events that a strategy supports. */
export const supportedEvents = (strategy: StrategyName): readonly GeoEventName[] => STRATEGIES[strategy].events;
