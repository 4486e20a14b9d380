/**
 * Shares something out: nobody gets more than they want, and what somebody leaves goes to those who want more.
 *
 * @param wanted how much each wants, whole numbers of 0 or more
 * @param total how much there is, a whole number of 0 or more
 * @returns how much each gets, in the same order; together at most `total`, and all of it if so much is wanted
 */
export const fairShares = (wanted: readonly number[], total: number): readonly number[] => {
  const shares = wanted.map(() => 0);
  const modestFirst = wanted.map((_, index) => index).toSorted((a, b) => (wanted[a] ?? 0) - (wanted[b] ?? 0));
  let left = total;
  modestFirst.forEach((index, served) => {
    const share = Math.min(wanted[index] ?? 0, Math.floor(left / (modestFirst.length - served)));
    shares[index] = share;
    left -= share;
  });
  return shares;
};
