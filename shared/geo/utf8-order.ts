// UTF-16 puts surrogates (code points above U+FFFF) before U+E000–U+FFFF; UTF-8 puts them after. Rotating the top of the
// range makes single code units compare as their code points would.
const rank = (unit: number): number => (unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit);

/**
 * Compares two well-formed strings as DynamoDB sorts string keys and S3 lists object keys: by the bytes of their UTF-8
 * form, which is the order of code points. JavaScript's own `<` goes by UTF-16 units and differs above U+FFFF.
 *
 * @returns negative, zero or positive, as a comparator does.
 */
export const compareUtf8 = (left: string, right: string): number => {
  const shorter = Math.min(left.length, right.length);
  for (let index = 0; index < shorter; index += 1) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return rank(a) - rank(b);
  }
  return left.length - right.length;
};
