/** Commands that decide what becomes of messages, and the one that lets everything run its course. */
import { asRaftIndex, type NodeId } from '@balsa/node/core/ids.ts';
import { statusOf } from '@balsa/node/core/raft/status.ts';
import { type Arguments, nodeOf, nodesOf, numberOf } from '../arguments.ts';
import { applyNode, deliver, persistNode } from '../harness/cluster.ts';
import { entriesOf, termAt } from '../harness/log-store.ts';
import { cutLink, healLink, type Sent, take } from '../harness/network.ts';
import { renderMessage } from '../harness/render.ts';
import { allNodes, type Command, type Commands, replicaOf, say, type Session } from '../session.ts';

/** Rounds after which a cluster that does not come to rest is a bug. */
const roundsMax = 200;

/** from=1,2 to=3 kind=vote-request,append-request term=4 count=1: each narrows the choice. */
function filterOf({ options }: Arguments): (message: Sent) => boolean {
  const from = options.has('from') ? nodesOf(options.get('from')) : undefined;
  const to = options.has('to') ? nodesOf(options.get('to')) : undefined;
  const kinds = options.get('kind')?.split(',');
  const term = options.has('term') ? numberOf(options.get('term'), 'term') : undefined;
  let left = options.has('count') ? numberOf(options.get('count'), 'count') : Number.POSITIVE_INFINITY;
  return (message) => {
    const matches =
      (from?.includes(message.from) ?? true) &&
      (to?.includes(message.to) ?? true) &&
      (kinds?.includes(message.kind) ?? true) &&
      (term === undefined || term === message.term);
    return matches && left-- > 0;
  };
}

/**
 * deliver [filter] [keep] [reverse]: hands over what is in flight now, not what that
 * causes. `keep` leaves a copy in flight (a duplicate to come), `reverse` turns the order.
 */
const deliverCommand: Command = (session, args) => {
  const { network } = session.cluster;
  const matches = filterOf(args);
  const chosen = args.words.includes('keep') ? network.inFlight.filter(matches) : take(network, matches);
  if (chosen.length === 0) say(session, 'nothing to deliver');
  for (const message of args.words.includes('reverse') ? chosen.toReversed() : chosen) deliver(session.cluster, message);
};

/**
 * resend 1 2 after=10 count=3: leader 1 sends node 2 a part of its log once more. A
 * leader may send any part at any time, so every follower must take any of them.
 */
const resend: Command = (session, { words: [from, to], options }) => {
  const { raft, store } = replicaOf(session, nodeOf(from));
  if (raft === undefined || statusOf(raft).role !== 'leader') throw new Error(`node ${from} does not lead`);
  const { term, commit } = statusOf(raft);
  const index = asRaftIndex(numberOf(options.get('after'), 'after'));
  const first = asRaftIndex(index + 1);
  const last = asRaftIndex(index + numberOf(options.get('count'), 'count'));
  const indexTerm = termAt(store.view, index);
  const entries = entriesOf(store.view, { first, last });
  if (indexTerm === undefined || entries === undefined) throw new Error(`node ${from} does not have ${index}..${last}`);
  const head = { kind: 'append-request', from: nodeOf(from), to: nodeOf(to), term } as const;
  session.cluster.network.inFlight.push({ ...head, index, indexTerm, commit, entries });
};

const drop: Command = (session, args) => {
  const lost = take(session.cluster.network, filterOf(args));
  if (lost.length === 0) say(session, 'nothing to drop');
  for (const message of lost) say(session, `drops ${renderMessage(message)}`);
};

const messages: Command = (session) => {
  const { inFlight } = session.cluster.network;
  if (inFlight.length === 0) say(session, 'none');
  for (const message of inFlight) say(session, renderMessage(message));
};

/** isolate 3: loses everything to and from the node. */
const isolate: Command = (session, { words }) => {
  for (const id of words.map(nodeOf)) {
    for (const peer of allNodes(session)) if (peer !== id) cut(session, [id, peer], [peer, id]);
  }
};

/** cut 1->3: loses one direction. */
const cutCommand: Command = (session, { words }) => {
  for (const word of words) {
    const [from, to] = word.split('->');
    cut(session, [nodeOf(from), nodeOf(to)]);
  }
};

function cut(session: Session, ...links: readonly (readonly [NodeId, NodeId])[]): void {
  for (const [from, to] of links) {
    for (const message of cutLink(session.cluster.network, from, to)) say(session, `drops ${renderMessage(message)}`);
  }
}

/** heal [3]: mends all links, or all links of the nodes. */
const heal: Command = (session, { words }) => {
  const nodes = words.length === 0 ? allNodes(session) : words.map(nodeOf);
  for (const id of nodes) {
    for (const peer of allNodes(session)) {
      healLink(session.cluster.network, id, peer);
      healLink(session.cluster.network, peer, id);
    }
  }
};

/**
 * stabilize [1 2]: these nodes (or all) talk with each other, write and apply until
 * nothing is left to do. Messages to and from others stay in flight.
 */
const stabilize: Command = (session, { words }) => {
  const nodes = words.length === 0 ? allNodes(session) : words.map(nodeOf);
  const inside = (message: Sent): boolean => nodes.includes(message.from) && nodes.includes(message.to);
  session.transcript.deliversLater = ({ message }) => inside(message);
  session.transcript.persistsAtOnce = true;
  session.transcript.appliesAtOnce = true;
  withoutDelay(session, () => {
    for (let round = 0; round < roundsMax; round++) if (!runRound(session, nodes, inside)) return;
    throw new Error(`not at rest after ${roundsMax} rounds`);
  });
};

function withoutDelay({ cluster }: Session, run: () => void): void {
  const { autoPersist, autoApply } = cluster;
  cluster.autoPersist = true;
  cluster.autoApply = true;
  run();
  cluster.autoPersist = autoPersist;
  cluster.autoApply = autoApply;
}

function runRound(session: Session, nodes: readonly NodeId[], inside: (message: Sent) => boolean): boolean {
  let busy = false;
  for (const id of nodes) {
    if (persistNode(session.cluster, replicaOf(session, id)) > 0) busy = true;
    if (applyNode(session.cluster, replicaOf(session, id)) > 0) busy = true;
  }
  const chosen = take(session.cluster.network, inside);
  for (const message of chosen) deliver(session.cluster, message);
  return busy || chosen.length > 0;
}

export const trafficCommands: Commands = { deliver: deliverCommand, resend, drop, messages, isolate, cut: cutCommand, heal, stabilize };
