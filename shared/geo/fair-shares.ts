/**
 * Shares something out: nobody gets more than they want, and what somebody leaves goes to those who want more.
 *
 * @param wanted how much each wants, whole numbers of 0 or more
 * @param total how much there is, a whole number of 0 or more
 * @returns how much each gets, in the same order; together at most `total`, and all of it if so much is wanted
 */
export const fairShares = (wanted: readonly number[], total: number): readonly number[] => {
  const shares = wanted.map(() => 0);
  const modestFirst = [...wanted.entries()].toSorted(([, one], [, other]) => one - other);
  let left = total;
  for (const [served, [index, most]] of modestFirst.entries()) {
    const share = Math.min(most, Math.floor(left / (modestFirst.length - served)));
    shares[index] = share;
    left -= share;
  }
  return shares;
};
