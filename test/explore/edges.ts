/** Which state leads to which, without anything going wrong. Kept flat: there are millions of them. */
export class Edges {
  #from = new Int32Array(1024);
  #to = new Int32Array(1024);
  #count = 0;

  add(from: number, to: number): void {
    if (this.#count === this.#from.length) {
      this.#from = grown(this.#from);
      this.#to = grown(this.#to);
    }
    this.#from[this.#count] = from;
    this.#to[this.#count] = to;
    this.#count += 1;
  }

  /** The first state, of `states` in all, from which none of `targets` can be reached; undefined when every one can. */
  firstThatCanNotReach(targets: readonly number[], states: number): number | undefined {
    const incoming = this.#incoming(states);
    const reaches = new Uint8Array(states);
    const open = [...targets];
    for (const target of targets) reaches[target] = 1;
    for (let state = open.pop(); state !== undefined; state = open.pop()) {
      const end = incoming.starts[state + 1] ?? 0;
      for (let i = incoming.starts[state] ?? 0; i < end; i += 1) {
        const before = incoming.from[i] ?? 0;
        if (reaches[before] === 1) continue;
        reaches[before] = 1;
        open.push(before);
      }
    }
    const first = reaches.indexOf(0);
    return first < 0 ? undefined : first;
  }

  /** The edges by where they lead: those into state `s` stand from `starts[s]` to before `starts[s + 1]`. */
  #incoming(states: number): { readonly starts: Int32Array; readonly from: Int32Array } {
    const starts = new Int32Array(states + 1);
    for (let i = 0; i < this.#count; i += 1) {
      const slot = (this.#to[i] ?? 0) + 1;
      starts[slot] = (starts[slot] ?? 0) + 1;
    }
    for (let state = 0; state < states; state += 1) starts[state + 1] = (starts[state + 1] ?? 0) + (starts[state] ?? 0);
    const next = starts.slice();
    const from = new Int32Array(this.#count);
    for (let i = 0; i < this.#count; i += 1) {
      const to = this.#to[i] ?? 0;
      const slot = next[to] ?? 0;
      from[slot] = this.#from[i] ?? 0;
      next[to] = slot + 1;
    }
    return { starts, from };
  }
}

const grown = (array: Int32Array): Int32Array<ArrayBuffer> => {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
};
