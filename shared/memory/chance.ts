import type { Chance } from "../ports/clock.ts";

/** The whole state of a `SeededChance`: four 32-bit words. */
export type ChanceState = readonly [number, number, number, number];

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, "0");

/** Repeatable chance: the same seed gives the same tokens and numbers for ever. The generator is sfc32. */
export class SeededChance implements Chance {
  #a = 0;
  #b = 0;
  #c = 0;
  #counter = 1;

  /** @param seed Any integer; its low 32 bits count. */
  constructor(seed: number) {
    this.#a = seed >>> 0;
    this.#b = 0x9e3779b9;
    this.#c = 0x243f6a88;
    // The first outputs still resemble the seed; a dozen rounds mix it into every word.
    for (let round = 0; round < 12; round += 1) this.#next();
  }

  /** A fresh token in the form of a version 4 UUID. Fresh within one seed, and unlikely to repeat across seeds. */
  token(): string {
    const text = hex(this.#next()) + hex(this.#next()) + hex(this.#next()) + hex(this.#next());
    const variant = ((parseInt(text.charAt(16), 16) & 0x3) | 0x8).toString(16);
    return [
      text.slice(0, 8),
      text.slice(8, 12),
      `4${text.slice(13, 16)}`,
      `${variant}${text.slice(17, 20)}`,
      text.slice(20),
    ].join("-");
  }

  random(): number {
    return this.#next() / 0x1_0000_0000;
  }

  /** Everything that decides what comes next; hand it to `restore` to go on from here. */
  state(): ChanceState {
    return [this.#a, this.#b, this.#c, this.#counter];
  }

  restore(state: ChanceState): void {
    [this.#a, this.#b, this.#c, this.#counter] = state;
  }

  #next(): number {
    const result = (this.#a + this.#b + this.#counter) >>> 0;
    this.#counter = (this.#counter + 1) >>> 0;
    this.#a = (this.#b ^ (this.#b >>> 9)) >>> 0;
    this.#b = (this.#c + (this.#c << 3)) >>> 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) >>> 0;
    this.#c = (this.#c + result) >>> 0;
    return result;
  }
}
