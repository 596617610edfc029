/** AdminService over the broker. */
import type { AdminServiceServer, RaftGroupStatus } from '@balsa/proto/admin';
import type { GroupReport } from '../../broker/status.ts';
import type { NodeId } from '../../core/ids.ts';
import { asGroupId, asNodeId } from '../../core/ids.ts';
import type { EdgeOptions } from './edge-options.ts';
import { topicToWire } from './topic-wire.ts';
import type { UnaryGate } from './unary-call.ts';
import { unary } from './unary-call.ts';

export function adminHandlers(options: EdgeOptions, gate: UnaryGate): AdminServiceServer {
  return { ...topicHandlers(options, gate), ...raftHandlers(options, gate), ...nodeHandlers(options, gate) };
}

function topicHandlers(
  { broker }: EdgeOptions,
  gate: UnaryGate,
): Pick<AdminServiceServer, 'createTopic' | 'deleteTopic' | 'alterTopic' | 'setReplicas'> {
  return {
    createTopic: unary(
      gate,
      'CreateTopic',
      async (request) => ({ error: undefined, topic: topicToWire(await broker.createTopic(request)) }),
      (error) => ({ error, topic: undefined }),
    ),
    deleteTopic: unary(
      gate,
      'DeleteTopic',
      async ({ name }) => {
        await broker.deleteTopic(name);
        return { error: undefined };
      },
      (error) => ({ error }),
    ),
    alterTopic: unary(
      gate,
      'AlterTopic',
      async (request) => ({ error: undefined, topic: topicToWire(await broker.alterTopic(request)) }),
      (error) => ({ error, topic: undefined }),
    ),
    setReplicas: unary(
      gate,
      'SetReplicas',
      async ({ topic, partition, replicaNodeIds }) => ({
        error: undefined,
        topic: topicToWire(await broker.setReplicas(topic, partition, replicaNodeIds)),
      }),
      (error) => ({ error, topic: undefined }),
    ),
  };
}

function raftHandlers({ broker }: EdgeOptions, gate: UnaryGate): Pick<AdminServiceServer, 'getRaftStatus' | 'transferLeadership'> {
  return {
    getRaftStatus: unary(
      gate,
      'GetRaftStatus',
      ({ allGroups, groupId }) => {
        const reports = broker.raftStatus(allGroups ? 'all' : asGroupId(groupId));
        return { error: undefined, groups: reports.map((report) => reportToWire(report, broker.facts.nodeId)) };
      },
      (error) => ({ error, groups: [] }),
    ),
    transferLeadership: unary(
      gate,
      'TransferLeadership',
      async ({ groupId, targetNodeId }) => {
        const leaderNodeId = await broker.transferLeadership(asGroupId(groupId), asNodeId(targetNodeId));
        return { error: undefined, leaderNodeId };
      },
      (error) => ({ error, leaderNodeId: 0 }),
    ),
  };
}

function nodeHandlers(
  { broker, measures }: EdgeOptions,
  gate: UnaryGate,
): Pick<AdminServiceServer, 'getNodeStatus' | 'registerNode' | 'allocateProducerIds'> {
  return {
    getNodeStatus: unary(gate, 'GetNodeStatus', async () => {
      const groups = broker.raftStatus('all');
      const notReadyReasons = broker.readiness().flatMap(({ problem }) => problem ?? []);
      const groupsLed = groups.filter(({ role }) => role === 'leader').length;
      return { nodeId: broker.facts.nodeId, ...(await measures()), groupsLed, groupsHosted: groups.length, notReadyReasons };
    }),
    registerNode: unary(
      gate,
      'RegisterNode',
      async (request) => {
        await broker.registerNode({ ...request, nodeId: asNodeId(request.nodeId) });
        return { error: undefined };
      },
      (error) => ({ error }),
    ),
    allocateProducerIds: unary(
      gate,
      'AllocateProducerIds',
      async ({ count }) => ({ error: undefined, firstId: await broker.allocateProducerIds(count) }),
      (error) => ({ error, firstId: 0 }),
    ),
  };
}

function reportToWire(report: GroupReport, nodeId: NodeId): RaftGroupStatus {
  return {
    groupId: report.group,
    topic: report.topic,
    partition: report.partition,
    nodeId,
    role: report.role,
    leaderNodeId: report.leader,
    term: report.term,
    commit: report.commit,
    applied: report.applied,
    durable: report.durable,
    lastIndex: report.last,
    firstIndex: report.first,
    logStart: report.logStart,
    highWatermark: report.highWatermark,
    replicas: report.replicas.map(({ node, match, state, active }) => ({
      nodeId: node,
      match,
      state,
      active,
      lag: Math.max(0, report.last - match),
    })),
    voters: [...report.membership.voters],
    learners: [...report.membership.learners],
    faulty: report.faulty,
    outgoing: [...report.membership.outgoing],
  };
}
