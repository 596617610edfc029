/** Commands that show what is, and change nothing. */
import { asRaftIndex } from '@balsa/node/core/ids.ts';
import { statusOf } from '@balsa/node/core/raft/status.ts';
import { nodeOf } from '../arguments.ts';
import { lastIndexOf, termAt } from '../harness/log-store.ts';
import { renderEntries, renderMembership } from '../harness/render.ts';
import { allNodes, type Command, type Commands, replicaOf, say, type Session } from '../session.ts';
import type { NodeId } from '@balsa/node/core/ids.ts';

/** raft-state: a line per node. */
const raftState: Command = (session) => {
  for (const id of allNodes(session)) say(session, `${id} ${stateOf(session, id)}`);
};

function stateOf(session: Session, id: NodeId): string {
  const { raft, store } = replicaOf(session, id);
  if (raft === undefined) return 'is down';
  const { role, term, leader, commit, applied, durable, last, membership } = statusOf(raft);
  const follows = role === 'leader' ? '' : ` of ${leader === 0 ? 'nobody' : leader}`;
  const marks = `commit ${commit} applied ${applied} disk ${durable} last ${last}@${termAt(store.view, asRaftIndex(last))}`;
  return `${role} t${term}${follows}, vote ${store.view.hardState.votedFor}, ${marks}, ${renderMembership(membership)}`;
}

/** log 1, log all: entries in memory; `|` is where the disk ends. */
const log: Command = (session, { words: [node] }) => {
  for (const id of node === 'all' ? allNodes(session) : [nodeOf(node)]) {
    const { view, durable } = replicaOf(session, id).store;
    const disk = lastIndexOf(durable) === lastIndexOf(view) && termAt(durable, lastIndexOf(view)) === termAt(view, lastIndexOf(view));
    const late = disk ? '' : ` | disk ends ${lastIndexOf(durable)}@${termAt(durable, lastIndexOf(durable))}`;
    say(session, `${id} after ${view.snapshot.index}@${view.snapshot.term}: ${renderEntries(view.entries)}${late}`);
  }
};

/** status 1: what the leader knows of its replicas. */
const status: Command = (session, { words: [node] }) => {
  const { raft } = replicaOf(session, nodeOf(node));
  for (const { node: peer, state, match, next, active } of raft === undefined ? [] : statusOf(raft).replicas) {
    say(session, `${peer}: ${state} match ${match} next ${next}${active ? '' : ' inactive'}`);
  }
};

/** state all: the commands that each machine has applied, in order. */
const state: Command = (session) => {
  for (const id of allNodes(session)) {
    const { machine } = replicaOf(session, id);
    say(session, `${id} at ${machine.applied}: ${machine.state}`);
  }
};

export const viewCommands: Commands = { 'raft-state': raftState, log, status, state };
