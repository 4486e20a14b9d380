/** What the API tells an operator who asked for a walk through both sides of a type. */
export interface WalkAskedAnswer {
  readonly replicable_name: string;
  /** ISO 8601, UTC. A walk that began later than this has seen what there was then. */
  readonly asked_at: string;
}
