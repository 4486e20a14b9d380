/** No fingerprint: those are not negative. */
const FREE = -1;

/** Which states have been seen, by their fingerprints, and under which number. Flat and open: there are millions of them. */
export class Visited {
  #marks = new Float64Array(1 << 12).fill(FREE);
  #ids = new Int32Array(1 << 12);
  #count = 0;

  /** The number under which the state is known; when it is not, it gets the number `id` and this returns undefined. */
  findOrAdd(mark: number, id: number): number | undefined {
    if (this.#count * 2 >= this.#marks.length) this.#grow();
    const slot = this.#slotOf(mark);
    if (this.#marks[slot] === mark) return this.#ids[slot];
    this.#marks[slot] = mark;
    this.#ids[slot] = id;
    this.#count += 1;
    return undefined;
  }

  /** Where the mark stands, or would stand. */
  #slotOf(mark: number): number {
    const mask = this.#marks.length - 1;
    let slot = ((mark % 4_294_967_296) >>> 0) & mask;
    while (this.#marks[slot] !== FREE && this.#marks[slot] !== mark) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const marks = this.#marks;
    const ids = this.#ids;
    this.#marks = new Float64Array(marks.length * 2).fill(FREE);
    this.#ids = new Int32Array(marks.length * 2);
    for (const [i, mark] of marks.entries()) {
      if (mark === FREE) continue;
      const slot = this.#slotOf(mark);
      this.#marks[slot] = mark;
      this.#ids[slot] = ids[i] ?? 0;
    }
  }
}
