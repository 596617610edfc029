/**
 * Limits of the partition machine. They decide outcomes, so they are the same on every
 * replica: a change is a change of behaviour and needs a feature level in the log.
 */
export interface PartitionLimits {
  /** Idempotent producers that a partition remembers; the one that appended longest ago goes first. */
  readonly producersMax: number;
  /** A producer is forgotten when the log is this much older than its last batch. */
  readonly producerExpiryMs: number;
}

export const defaultPartitionLimits: PartitionLimits = {
  producersMax: 10_000,
  producerExpiryMs: 7 * 24 * 3600 * 1000,
};

/** Batches per producer whose offsets are remembered; clients keep at most this many in flight. */
export const producerWindowBatches = 5;
