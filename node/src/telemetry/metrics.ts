/**
 * All metrics of a node in one table: name, help, labels. Names are Prometheus style,
 * base units (seconds, bytes), `_total` for counters.
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** From 0.1 ms to 10 s: a fast disk's sync to a stuck one. */
const latencyBuckets = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

const counters = {
  produceBytes: ['balsa_produce_bytes_total', 'Bytes of record batches acknowledged by this node'],
  produceBatches: ['balsa_produce_batches_total', 'Record batches acknowledged by this node'],
  produceRecords: ['balsa_produce_records_total', 'Records acknowledged by this node'],
  fetchBytes: ['balsa_fetch_bytes_total', 'Bytes of record batches read for consumers'],
  fetchBatches: ['balsa_fetch_batches_total', 'Record batches read for consumers'],
  requests: ['balsa_requests_total', 'Requests received on the client API', 'method'],
  refused: ['balsa_refused_total', 'Requests answered with an error, by error code', 'code'],
  leaderChanges: ['balsa_raft_leader_changes_total', 'Changes of leader seen by this node, over all Raft groups'],
  dropped: ['balsa_raft_messages_dropped_total', 'Messages of peers that this node did not process, by reason', 'reason'],
  scrubbedBytes: ['balsa_scrubbed_bytes_total', 'Bytes of cold data verified by finished passes of the scrub'],
  snapshots: ['balsa_raft_snapshots_total', 'Snapshots sent and installed', 'direction'],
  journalBytes: ['balsa_journal_written_bytes_total', 'Bytes written to the journal'],
  journalFrames: ['balsa_journal_frames_total', 'Frames written to the journal'],
} as const;

const histograms = {
  produce: ['balsa_produce_seconds', 'From the arrival of a batch to its acknowledgement'],
  fetch: ['balsa_fetch_seconds', 'Time to read batches for a fetch, waiting for data excluded'],
  commit: ['balsa_raft_commit_seconds', 'From a proposal to its outcome on the leader'],
  sync: ['balsa_journal_sync_seconds', 'Write and fdatasync of one journal batch'],
  turn: ['balsa_host_turn_seconds', 'Time that one turn of the Raft host keeps the event loop'],
} as const;

const gauges = {
  queueBytes: ['balsa_queue_bytes', 'Bytes held in a bounded queue', 'queue'],
  streams: ['balsa_streams', 'Open produce and fetch streams'],
  groups: ['balsa_raft_groups', 'Raft groups hosted by this node'],
  groupsLed: ['balsa_raft_groups_led', 'Raft groups led by this node'],
  groupsLeaderless: ['balsa_raft_groups_leaderless', 'Raft groups of this node without a known leader'],
  groupsFaulty: ['balsa_raft_groups_faulty', 'Raft groups of this node with damaged data'],
  applyLag: ['balsa_raft_apply_lag_entries', 'Committed entries not yet applied, over all groups of this node'],
  replicaLag: ['balsa_raft_replica_lag_entries', 'Entries that a follower is behind this leader', 'topic', 'partition', 'follower'],
  peerConnected: ['balsa_peer_connected', '1 if the links to the peer stand', 'peer'],
  peerQueued: ['balsa_peer_queued_bytes', 'Bytes queued for the peer', 'peer', 'channel'],
  journalSegments: ['balsa_journal_segments', 'Segments of the journal'],
  journalSize: ['balsa_journal_bytes', 'Bytes of the journal on disk'],
  journalCache: ['balsa_journal_cache_bytes', 'Entries kept in memory'],
  journalFull: ['balsa_journal_full', '1 while writes are refused for lack of disk space'],
  journalTorn: ['balsa_journal_torn_tails', 'Unfinished writes found at the start'],
  journalCorrupt: ['balsa_journal_corrupt_frames', 'Damaged frames found since the start'],
  unsafeFaults: ['balsa_unsafe_faults', '1 if this node was started with --unsafe-faults; never where data matters'],
  ready: ['balsa_ready', '1 if this node is ready for clients'],
  clusterNodes: ['kafka_brokers', 'Registered nodes of the cluster'],
  topicPartitions: ['kafka_topic_partitions', 'Partitions of the topic', 'topic'],
  partitionEnd: ['kafka_topic_partition_current_offset', 'High watermark of a partition led here', 'topic', 'partition'],
  partitionStart: ['kafka_topic_partition_oldest_offset', 'First offset kept of a partition led here', 'topic', 'partition'],
  partitionLeader: ['kafka_topic_partition_leader', 'Leader of a partition led here', 'topic', 'partition'],
  partitionPreferred: ['kafka_topic_partition_leader_is_preferred', '1 if the leader is the preferred replica', 'topic', 'partition'],
  partitionReplicas: ['kafka_topic_partition_replicas', 'Replicas of a partition led here', 'topic', 'partition'],
  partitionInSync: ['kafka_topic_partition_in_sync_replica', 'Active replicas of a partition led here', 'topic', 'partition'],
  partitionUnder: ['kafka_topic_partition_under_replicated_partition', '1 if a replica is not active', 'topic', 'partition'],
} as const;

type Table = Readonly<Record<string, readonly [name: string, help: string, ...labels: string[]]>>;
type Built<Rows, Metric> = { readonly [Key in keyof Rows]: Metric };

export interface Metrics {
  readonly registry: Registry;
  readonly counters: Built<typeof counters, Counter>;
  readonly histograms: Built<typeof histograms, Histogram>;
  readonly gauges: Built<typeof gauges, Gauge>;
}

interface MetricConfig {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly registers: Registry[];
}

/** Metrics of one node, the process's own included. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    counters: build(registry, counters, (config) => new Counter(config)),
    histograms: build(registry, histograms, (config) => new Histogram({ ...config, buckets: latencyBuckets })),
    gauges: build(registry, gauges, (config) => new Gauge(config)),
  };
}

function build<Rows extends Table, Metric>(registry: Registry, rows: Rows, make: (config: MetricConfig) => Metric): Built<Rows, Metric> {
  const built = Object.entries(rows).map(([key, [name, help, ...labelNames]]) => [
    key,
    make({ name, help, labelNames, registers: [registry] }),
  ]);
  return Object.fromEntries(built) as Built<Rows, Metric>;
}
