/** `balsa cluster status`: the brokers, and whether every partition has a leader. */
import type { Command } from 'commander';
import type { ClusterStatus, NodeStatus } from '../../src/mod.ts';
import { during } from '../cli-error.ts';
import { withCluster, withExamples } from '../command.ts';
import type { ClusterOptions } from '../command.ts';
import { withBalsa } from '../connection.ts';
import { formatBytes, formatCount, formatDuration } from '../format/quantity.ts';
import type { Column, Style } from '../format/table.ts';
import type { Io } from '../terminal/io.ts';
import { printFacts, printRows } from '../terminal/output.ts';

const columns: readonly Column<NodeStatus>[] = [
  { title: 'NODE', cell: (node) => `${node.nodeId}${node.isController ? '*' : ''}` },
  { title: 'STATE', cell: stateOf, style: styleOf },
  { title: 'CLIENTS', cell: (node) => node.clientAddress },
  { title: 'HTTP', cell: (node) => node.httpAddress },
  { title: 'ZONE', cell: (node) => node.zone || '-' },
  { title: 'LEADS', cell: (node) => node.report?.groupsLed ?? '-', align: 'right' },
  { title: 'HOSTS', cell: (node) => node.report?.groupsHosted ?? '-', align: 'right' },
  { title: 'UPTIME', cell: (node) => (node.report === undefined ? '-' : formatDuration(node.report.uptimeMs)), align: 'right' },
  { title: 'MEMORY', cell: (node) => bytesOf(node.report?.memoryBytes), align: 'right' },
  { title: 'JOURNAL', cell: (node) => bytesOf(node.report?.journalBytes), align: 'right' },
  { title: 'DISK FREE', cell: (node) => bytesOf(node.report?.diskFreeBytes), align: 'right' },
  { title: 'VERSION', cell: (node) => node.report?.version ?? '-' },
];

export function registerClusterStatus(parent: Command, io: Io): void {
  const command = withCluster(parent.command('status'))
    .description('Shows the brokers (* leads the metadata) and the health of the partitions.')
    .action((options: ClusterOptions) => status(io, options));
  withExamples(command, 'balsa cluster status', "balsa cluster status -o json | jq '.nodes[] | {nodeId, isReachable}'");
}

async function status(io: Io, options: ClusterOptions): Promise<void> {
  await withBalsa(io, options, async (balsa) => {
    const cluster = await during('cannot read the status of the cluster', () => balsa.admin.cluster.status({ signal: io.signal }));
    if (options.output !== 'table') return printFacts(io, options.output, statusJson(cluster), []);
    await printFacts(io, 'table', undefined, clusterFacts(cluster));
    io.stdout.write('\n');
    await printRows(io, 'table', cluster.nodes, columns);
  });
}

function clusterFacts(cluster: ClusterStatus): readonly (readonly [string, string])[] {
  const partitions = cluster.topics.flatMap((topic) => topic.partitions);
  const leaderless = partitions.filter((partition) => partition.leader === undefined).length;
  const reachable = cluster.nodes.filter((node) => node.isReachable).length;
  return [
    ['cluster', cluster.clusterId],
    ['brokers', `${reachable} of ${cluster.nodes.length} answer`],
    ['metadata leader', cluster.controllerNodeId === undefined ? 'none' : `node ${cluster.controllerNodeId}`],
    ['topics', formatCount(cluster.topics.length)],
    [
      'partitions',
      `${formatCount(partitions.length)}, ${leaderless === 0 ? 'all with a leader' : `${formatCount(leaderless)} without a leader`}`,
    ],
  ];
}

/** Errors become their code and message: an Error has no fields in JSON. */
function statusJson(cluster: ClusterStatus): unknown {
  const nodes = cluster.nodes.map((node) => ({
    ...node,
    report: node.report ?? null,
    error: node.error === undefined ? null : { code: node.error.code, message: node.error.message },
  }));
  return { ...cluster, controllerNodeId: cluster.controllerNodeId ?? null, nodes };
}

function stateOf(node: NodeStatus): string {
  if (node.report === undefined) return `down (${node.error?.code ?? 'no answer'})`;
  return node.report.notReadyReasons.length === 0 ? 'ready' : node.report.notReadyReasons.join('; ');
}

function styleOf(node: NodeStatus): Style {
  if (node.report === undefined) return 'red';
  return node.report.notReadyReasons.length === 0 ? 'green' : 'yellow';
}

const bytesOf = (bytes: number | undefined): string => (bytes === undefined ? '-' : formatBytes(bytes));
