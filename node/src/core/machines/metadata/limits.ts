/**
 * Limits of the cluster metadata. They decide outcomes, so they are the same on every
 * replica: a change is a change of behaviour and needs a feature level in the log.
 */
export const metadataLimits = {
  /** Bytes of one command. */
  commandBytesMax: 1_048_576,
  nodesMax: 1000,
  topicsMax: 10_000,
  partitionsPerTopicMax: 10_000,
  /** Partitions of all topics together. */
  partitionsMax: 50_000,
  /** Replicas of a partition; Raft majorities are verified up to this size. */
  replicasMax: 7,
  /** Replicas of a topic that names no number, if there are as many nodes. */
  replicationFactorDefault: 3,
  /** Ids handed out at once. */
  producerIdsPerBlockMax: 100_000,
  featureLevelMax: 65_535,
} as const;
