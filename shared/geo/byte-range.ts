/** Bytes of an object, counted from 0. */
export interface ByteRange {
  readonly start: number;
  readonly endInclusive: number;
}
