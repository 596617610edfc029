/** Source of randomness (jitter, sticky partitions, which broker to ask first); in a simulation a seeded stream. */
export interface Random {
  /** A whole number in [0, exclusiveMax). */
  readonly below: (exclusiveMax: number) => number;
}
