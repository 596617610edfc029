/** Reads the gauges at a scrape: what a node holds at this moment. */
import type { Broker } from '../broker/broker.ts';
import type { GroupReport } from '../broker/status.ts';
import type { JournalStats } from '../storage/journal/vocabulary.ts';
import type { PeerStats } from '../transport/vocabulary.ts';
import type { Metrics } from './metrics.ts';

export interface ScrapeSources {
  readonly broker: Broker;
  readonly journal: () => JournalStats;
  readonly peers: () => readonly PeerStats[];
  /** Bytes of proposals that wait in the host. */
  readonly proposalBytes: () => number;
}

export async function scrape(metrics: Metrics, sources: ScrapeSources): Promise<{ readonly contentType: string; readonly text: string }> {
  const reports = sources.broker.raftStatus('all');
  readGroups(metrics, reports);
  readPartitions(metrics, sources.broker, reports);
  readJournal(metrics, sources.journal());
  readQueues(metrics, sources);
  return { contentType: metrics.registry.contentType, text: await metrics.registry.metrics() };
}

function readGroups({ gauges }: Metrics, reports: readonly GroupReport[]): void {
  const count = (holds: (report: GroupReport) => boolean): number => reports.filter(holds).length;
  gauges.groups.set(reports.length);
  gauges.groupsLed.set(count(({ role }) => role === 'leader'));
  gauges.groupsLeaderless.set(count(({ leader }) => leader === 0));
  gauges.groupsFaulty.set(count(({ faulty }) => faulty));
  gauges.applyLag.set(reports.reduce((sum, { commit, applied }) => sum + Math.max(0, commit - applied), 0));
}

/** Only partitions led here, so that the sum over all nodes counts every partition once. */
function readPartitions({ gauges }: Metrics, broker: Broker, reports: readonly GroupReport[]): void {
  const { nodes, topics } = broker.describeCluster([]);
  const perPartition = [
    gauges.partitionEnd,
    gauges.partitionStart,
    gauges.partitionLeader,
    gauges.partitionPreferred,
    gauges.partitionReplicas,
  ];
  for (const gauge of [...perPartition, gauges.partitionInSync, gauges.partitionUnder, gauges.replicaLag, gauges.topicPartitions])
    gauge.reset();
  gauges.clusterNodes.set(nodes.length);
  const preferred = new Map(topics.flatMap(({ partitions }) => partitions.map(({ group, replicas }) => [group, replicas[0]] as const)));
  for (const { topic, partitions } of topics) gauges.topicPartitions.set({ topic: topic.name }, partitions.length);
  for (const report of reports) {
    if (report.role !== 'leader' || report.topic === '') continue;
    const labels = { topic: report.topic, partition: report.partition };
    const active = report.replicas.filter((replica) => replica.active || replica.node === report.leader).length;
    const replicas = report.membership.voters.length + report.membership.learners.length;
    gauges.partitionEnd.set(labels, report.highWatermark);
    gauges.partitionStart.set(labels, report.logStart);
    gauges.partitionLeader.set(labels, report.leader);
    gauges.partitionPreferred.set(labels, preferred.get(report.group) === report.leader ? 1 : 0);
    gauges.partitionReplicas.set(labels, replicas);
    gauges.partitionInSync.set(labels, active);
    gauges.partitionUnder.set(labels, active < replicas ? 1 : 0);
    for (const { node, match } of report.replicas) gauges.replicaLag.set({ ...labels, follower: node }, Math.max(0, report.last - match));
  }
}

function readJournal({ gauges }: Metrics, stats: JournalStats): void {
  gauges.journalSegments.set(stats.segments);
  gauges.journalSize.set(stats.bytes);
  gauges.journalCache.set(stats.cachedBytes);
  gauges.journalFull.set(stats.full ? 1 : 0);
  gauges.journalTorn.set(stats.tornTails);
  gauges.journalCorrupt.set(stats.corruptFrames);
}

function readQueues({ gauges }: Metrics, { broker, peers, proposalBytes }: ScrapeSources): void {
  const { produce, fetch } = broker.bytesInflight();
  gauges.queueBytes.set({ queue: 'produce' }, produce);
  gauges.queueBytes.set({ queue: 'fetch' }, fetch);
  gauges.queueBytes.set({ queue: 'proposals' }, proposalBytes());
  gauges.ready.set(broker.readiness().every(({ problem }) => problem === undefined) ? 1 : 0);
  for (const { peer, connected, control, bulk } of peers()) {
    gauges.peerConnected.set({ peer }, connected ? 1 : 0);
    gauges.peerQueued.set({ peer, channel: 'control' }, control.queuedBytes);
    gauges.peerQueued.set({ peer, channel: 'bulk' }, bulk.queuedBytes);
  }
}
