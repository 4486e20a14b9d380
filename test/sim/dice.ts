import { SeededChance } from "../../shared/memory/chance.ts";
import type { Chance } from "../../shared/ports/clock.ts";

/** Mixes a name into a seed (FNV-1a), so that each use of chance has a sequence of its own. */
const mixed = (seed: number, name: string): number => {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (let i = 0; i < name.length; i += 1) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
};

/**
 * Repeatable dice, one set for each purpose: taking one fault out of a plan leaves the throws for the others as they were,
 * which is what makes minimising a plan work.
 */
export class Dice {
  readonly #chance: SeededChance;

  constructor(seed: number, purpose: string) {
    this.#chance = new SeededChance(mixed(seed, purpose));
  }

  /** Uniform in [0, 1). */
  random(): number {
    return this.#chance.random();
  }

  /** True in `share` of all throws. */
  hits(share: number): boolean {
    return this.#chance.random() < share;
  }

  /** A number from `low` up to, not including, `high`. */
  between(low: number, high: number): number {
    return low + this.#chance.random() * (high - low);
  }

  /** A whole number from `low` to `high`, both included. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.#chance.random() * (high - low + 1));
  }

  /** One of `choices`. */
  pick<Choice>(choices: readonly Choice[]): Choice {
    const choice = choices[Math.floor(this.#chance.random() * choices.length)];
    if (choice === undefined) throw new Error("nothing to pick from");
    return choice;
  }
}

/** Tokens that can be read in a trace, `s12`, and numbers from a seed. */
export class NamingChance implements Chance {
  readonly #prefix: string;
  readonly #dice: Dice;
  #count = 0;

  constructor(seed: number, prefix: string) {
    this.#prefix = prefix;
    this.#dice = new Dice(seed, `chance ${prefix}`);
  }

  token(): string {
    this.#count += 1;
    return `${this.#prefix}${this.#count}`;
  }

  random(): number {
    return this.#dice.random();
  }
}
