/** Commands that a client or an operator could give. */
import { asRaftIndex } from '@balsa/node/core/ids.ts';
import { nodeOf, nodesOf, numberOf } from '../arguments.ts';
import { checkSnapshot } from '../harness/checks/commit.ts';
import { membershipBefore } from '../harness/checks/log.ts';
import { stepNode } from '../harness/cluster.ts';
import { compactStore, termAt } from '../harness/log-store.ts';
import { renderSnapshot } from '../harness/render.ts';
import { type Command, type Commands, replicaOf, say } from '../session.ts';

/** propose 1 a b:1000: one proposal of commands, optionally with a size in bytes. */
const propose: Command = (session, { words: [node, ...texts] }) => {
  const commands = texts.map((text) => {
    const [payload = '', size] = text.split(':');
    return { payload, size: size === undefined ? payload.length : numberOf(size, 'size') };
  });
  stepNode(session.cluster, replicaOf(session, nodeOf(node)), { type: 'propose', commands });
};

/** read 1 7: a linearizable read with context 7. */
const read: Command = (session, { words: [node, context] }) => {
  stepNode(session.cluster, replicaOf(session, nodeOf(node)), { type: 'read', context: numberOf(context, 'context') });
};

/** change-membership 1 voters=1,2,3 [learners=4] */
const changeMembership: Command = (session, { words: [node], options }) => {
  const target = { voters: nodesOf(options.get('voters')), learners: nodesOf(options.get('learners')) };
  stepNode(session.cluster, replicaOf(session, nodeOf(node)), { type: 'change-membership', target });
};

/** compact 1 12: the host keeps a snapshot at 12 and drops the log up to there. */
const compact: Command = (session, { words: [node, at] }) => {
  const replica = replicaOf(session, nodeOf(node));
  const index = asRaftIndex(numberOf(at, 'index'));
  const state = replica.machine.states.get(index);
  const term = termAt(replica.store.durable, index);
  if (state === undefined || term === undefined) throw new Error(`node ${node} has no state at ${index}`);
  const { membership } = membershipBefore(replica.store.view, asRaftIndex(index + 1));
  const snapshot = { index, term, membership, state };
  checkSnapshot(session.check, replica.id, snapshot);
  compactStore(replica.store, snapshot);
  say(session, `${replica.id} keeps snapshot ${renderSnapshot(snapshot)}`);
  stepNode(session.cluster, replica, { type: 'compact', index });
};

export const requestCommands: Commands = { propose, read, 'change-membership': changeMembership, compact };
