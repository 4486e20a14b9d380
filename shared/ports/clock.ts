/**
 * Time, ids and chance, handed in so that rules stay pure and a simulation can replay a run byte for byte.
 */
export interface Clock {
  /** Milliseconds since the epoch, UTC. May jump either way: no rule may rely on it for safety (protocol rule R30). */
  now(): number;
}

/** Where unguessable and random values come from. */
export interface Chance {
  /** A fresh token, unique for ever (a UUID in production). Names one attempt, one event, one request. */
  token(): string;
  /** Uniform in [0, 1). Used for jitter only. */
  random(): number;
}
