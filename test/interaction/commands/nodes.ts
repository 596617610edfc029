/** Commands that make, break and wind nodes. */
import { asNodeId, asRaftIndex, asTerm, type NodeId } from '@balsa/node/core/ids.ts';
import { defaultRaftConfig, type RaftConfig } from '@balsa/node/core/raft/config.ts';
import type { Entry } from '@balsa/node/core/raft/entry.ts';
import { statusOf } from '@balsa/node/core/raft/status.ts';
import type { Membership } from '@balsa/node/core/raft/membership.ts';
import { type Arguments, nodeOf, nodesOf, numberOf, optionalNumber, switchOf } from '../arguments.ts';
import { admit } from '../harness/checks/safety-check.ts';
import { addReplica, crash, restart, stepNode } from '../harness/cluster.ts';
import type { LogImage } from '../harness/log-store.ts';
import { allNodes, type Command, type Commands, replicaOf, type Session } from '../session.ts';

/**
 * add-nodes 1 2 3 [voters=1,2,3] [outgoing=] [auto-leave=off] [learners=] [index=10] [log=1,1,2] [term=2] [vote=1] [commit=12]
 *   [pre-vote=on] [check-quorum=on] [election=10..20] [heartbeat=2] [window=64] [window-bytes=] [append-bytes=]
 *   [uncommitted-bytes=] [reads=]
 * New nodes with the same configuration and log. `index` is the snapshot that the log
 * starts after (term 1), `log` the terms of the entries that follow it.
 */
const addNodes: Command = (session, args) => {
  for (const word of args.words) {
    addReplica(session.cluster, configOf(args, nodeOf(word)), imageOf(args));
    admit(session.check, nodeOf(word));
  }
};

function configOf(args: Arguments, self: NodeId): RaftConfig {
  const on = (key: string): boolean => (args.options.has(key) ? switchOf(args.options.get(key), key) : false);
  const [min, max] = (args.options.get('election') ?? '10..10').split('..');
  return {
    self,
    seed: self,
    heartbeatTicks: optionalNumber(args, 'heartbeat', defaultRaftConfig.heartbeatTicks),
    electionTicksMin: numberOf(min, 'election'),
    electionTicksMax: numberOf(max, 'election'),
    preVote: on('pre-vote'),
    checkQuorum: on('check-quorum'),
    appendBytesMax: optionalNumber(args, 'append-bytes', defaultRaftConfig.appendBytesMax),
    inflightMessagesMax: optionalNumber(args, 'window', defaultRaftConfig.inflightMessagesMax),
    inflightBytesMax: optionalNumber(args, 'window-bytes', defaultRaftConfig.inflightBytesMax),
    uncommittedBytesMax: optionalNumber(args, 'uncommitted-bytes', defaultRaftConfig.uncommittedBytesMax),
    readsMax: optionalNumber(args, 'reads', defaultRaftConfig.readsMax),
  };
}

function imageOf(args: Arguments): LogImage {
  const { options, words } = args;
  const membership: Membership = {
    voters: options.has('voters') ? nodesOf(options.get('voters')) : words.map(nodeOf),
    outgoing: nodesOf(options.get('outgoing')),
    learners: nodesOf(options.get('learners')),
    learnersNext: [],
    autoLeave: options.has('outgoing') && options.get('auto-leave') !== 'off',
  };
  const index = asRaftIndex(optionalNumber(args, 'index', 0));
  const snapshotTerm = asTerm(index === 0 ? 0 : 1);
  const terms = (options.get('log') ?? '').split(',').filter((term) => term !== '');
  const entries = terms.map((term, at): Entry<string> => oldEntry(index + 1 + at, numberOf(term, 'log')));
  const term = asTerm(optionalNumber(args, 'term', entries.at(-1)?.term ?? snapshotTerm));
  const hardState = { term, votedFor: optionalNumber(args, 'vote', 0), commit: asRaftIndex(optionalNumber(args, 'commit', index)) };
  return { snapshot: { index, term: snapshotTerm, membership, state: '' }, entries, hardState };
}

/** Logs made by hand agree wherever index and term agree. */
const oldEntry = (index: number, term: number): Entry<string> => {
  const payload = `e${index}.${term}`;
  return { index: asRaftIndex(index), term: asTerm(term), kind: 'command', payload, size: payload.length };
};

/** tick 1,2 [count]: time passes on the nodes, in turn. */
const tick: Command = (session, { words: [nodes, count] }) => {
  const wanted = nodes === 'all' ? allNodes(session) : nodesOf(nodes);
  for (let at = 0; at < numberOf(count ?? '1', 'count'); at++) {
    for (const id of wanted) tickOnce(session, id);
  }
};

function tickOnce(session: Session, id: NodeId): void {
  const replica = replicaOf(session, id);
  replica.now++;
  stepNode(session.cluster, replica, { type: 'tick', now: replica.now });
}

/** timeout 2: time passes on the node, which hears nobody, until it campaigns. */
const timeout: Command = (session, { words }) => {
  for (const id of words.map(nodeOf)) {
    const { raft, config } = replicaOf(session, id);
    if (raft === undefined || statusOf(raft).role === 'leader') throw new Error(`node ${id} cannot time out`);
    const before = session.transcript.lines.length;
    const campaigns = (): boolean => session.transcript.lines.slice(before).some((line) => /candidate|vote-request/.test(line));
    for (let at = 0; at < config.electionTicksMax && !campaigns(); at++) tickOnce(session, id);
  }
};

/** Steps the first node with an input that may name a second one. */
const stepWith =
  (input: (peer: NodeId) => Parameters<typeof stepNode>[2]): Command =>
  (session, { words: [node, peer] }) => {
    stepNode(session.cluster, replicaOf(session, nodeOf(node)), input(asNodeId(numberOf(peer ?? '0', 'peer'))));
  };

const each =
  (run: (session: Session, id: NodeId) => void): Command =>
  (session, { words }) => {
    for (const word of words) run(session, nodeOf(word));
  };

export const nodeCommands: Commands = {
  'add-nodes': addNodes,
  tick,
  timeout,
  campaign: stepWith(() => ({ type: 'campaign' })),
  transfer: stepWith((target) => ({ type: 'transfer', target })),
  'peer-lost': stepWith((node) => ({ type: 'peer-lost', node })),
  'snapshot-failed': stepWith((node) => ({ type: 'snapshot-failed', node })),
  crash: each((session, id) => crash(session.cluster, replicaOf(session, id))),
  restart: each((session, id) => restart(session.cluster, replicaOf(session, id))),
};
