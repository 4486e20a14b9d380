import { randomUUID } from "node:crypto";
import type { Chance, Clock } from "../ports/clock.ts";

/** The machine's clock. */
export const systemClock: Clock = { now: () => Date.now() };

/** The machine's chance. */
export const systemChance: Chance = { token: () => randomUUID(), random: () => Math.random() };
