/** The cluster at a glance: its brokers, each with its own report or why there is none. */
import { AdminServiceService, type GetNodeStatusResponse } from '@balsa/proto/admin';
import { type CallOptions, openScope } from '../cluster/call-scope.ts';
import type { ClientContext } from '../cluster/context.ts';
import type { BalsaError } from '../errors.ts';
import { askAll } from './ask-all.ts';
import { readMetadata, type TopicDescription, toDescription } from './topics.ts';

export type NodeReport = Omit<GetNodeStatusResponse, 'nodeId'>;

export interface NodeStatus {
  readonly nodeId: number;
  readonly clientAddress: string;
  readonly peerAddress: string;
  readonly httpAddress: string;
  readonly zone: string;
  /** Whether the broker answered this client. */
  readonly isReachable: boolean;
  /** Whether the broker that described the cluster has a link to it. */
  readonly isConnected: boolean;
  readonly isController: boolean;
  /** Undefined if the broker did not answer. */
  readonly report: NodeReport | undefined;
  readonly error: BalsaError | undefined;
}

export interface ClusterStatus {
  readonly clusterId: string;
  /** Leader of the metadata group; undefined while there is none. */
  readonly controllerNodeId: number | undefined;
  /** Broker whose view of the cluster this is. */
  readonly answeringNodeId: number;
  readonly nodes: readonly NodeStatus[];
  readonly topics: readonly TopicDescription[];
}

export interface ClusterAdmin {
  readonly status: (options?: CallOptions) => Promise<ClusterStatus>;
}

export function createClusterAdmin(context: ClientContext): ClusterAdmin {
  return { status: (options = {}) => clusterStatus(context, options) };
}

async function clusterStatus(context: ClientContext, options: CallOptions): Promise<ClusterStatus> {
  const scope = openScope(context.ports.clock, options, context.requestTimeoutMs);
  const metadata = await readMetadata(context, [], scope);
  const answers = await askAll(context, metadata.nodes, AdminServiceService.getNodeStatus, {}, scope);
  const nodes = answers.map(({ node, answer, error }): NodeStatus => {
    const { nodeId, clientAddress, peerAddress, httpAddress, zone, connected } = node;
    const flags = { isReachable: answer !== undefined, isConnected: connected, isController: nodeId === metadata.controllerNodeId };
    return { nodeId, clientAddress, peerAddress, httpAddress, zone, ...flags, report: answer, error };
  });
  return {
    clusterId: metadata.clusterId,
    controllerNodeId: metadata.controllerNodeId === 0 ? undefined : metadata.controllerNodeId,
    answeringNodeId: metadata.answeringNodeId,
    nodes: nodes.sort((left, right) => left.nodeId - right.nodeId),
    topics: metadata.topics.map(toDescription),
  };
}
