import type { Names } from "./expression-syntax.ts";

// Production code has a few dozen expressions; the bound only matters to property tests, which make them up.
const CACHE_MAX = 2_000;

/**
 * What was compiled, by its texts, and then by its names: text by text, because joining them first would cost more than
 * running them.
 */
export class Compilations<Value extends { readonly names: Names }> {
  readonly #byText = new Map<string, Map<string, Value[]>>();
  #size = 0;

  get(first: string, second: string, names: Names, make: () => Value): Value {
    const known = this.#byText.get(first)?.get(second);
    const found = known?.find((candidate) => sameNames(candidate.names, names));
    if (found !== undefined) return found;
    if (this.#size >= CACHE_MAX) {
      this.#byText.clear();
      this.#size = 0;
    }
    const made = make();
    const seconds = this.#byText.get(first) ?? new Map<string, Value[]>();
    this.#byText.set(first, seconds);
    seconds.set(second, [...(seconds.get(second) ?? []), made]);
    this.#size += 1;
    return made;
  }
}

const sameNames = (left: Names, right: Names): boolean => {
  if (left === right) return true;
  const placeholders = Object.keys(left);
  if (placeholders.length !== Object.keys(right).length) return false;
  for (const placeholder of placeholders) if (left[placeholder] !== right[placeholder]) return false;
  return true;
};
