/** Source of randomness; in a simulation a named, seeded stream. */
export interface Random {
  /** A whole number in [0, exclusiveMax). */
  readonly below: (exclusiveMax: number) => number;
  /** `bytes` random bytes as lower-case hex. */
  readonly hex: (bytes: number) => string;
}
