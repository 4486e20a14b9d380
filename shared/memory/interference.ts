/**
 * Where a test or a simulation reaches into a call. `before` runs ahead of the effect: throwing there means that the call
 * never arrived. `after` runs behind it: throwing there means that it took effect and the answer was lost. Either may
 * return a promise, which delays the call.
 */
export interface Interference<Operation> {
  before?(operation: Operation): void | Promise<void>;
  after?(operation: Operation): void | Promise<void>;
}

/** Runs `effect` between the two hooks. */
export const interfered = async <Operation, Result>(
  interference: Interference<Operation> | undefined,
  operation: Operation,
  effect: () => Result,
): Promise<Result> => {
  if (interference === undefined) return effect();
  await interference.before?.(operation);
  const result = effect();
  await interference.after?.(operation);
  return result;
};
