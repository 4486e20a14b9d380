import type { GeoMessage } from "../../shared/geo/geo-message.ts";
import { encodeKey } from "../../shared/geo/key-codec.ts";
import type { TwoSites } from "./two-sites.ts";

/** What an operator's request to copy an object again puts into the secondary's queue. */
export const askForResync = async (world: Pick<TwoSites, "queues" | "refOf">, key: string): Promise<void> => {
  const message: GeoMessage = {
    version: 1,
    kind: "resync",
    replicable_name: world.refOf(key).replicableName,
    keys: [encodeKey(key)],
    correlation_id: "an-operator",
  };
  await world.queues.events.live.send([{ body: JSON.stringify(message) }]);
};
