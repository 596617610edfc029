/** What an input means before the replica answers it: that it can happen, and what it tells the replica. */
import type { Input } from '@balsa/node/core/raft/input.ts';
import type { Message } from '@balsa/node/core/raft/message.ts';
import { advanceDisk, compact } from './disk.ts';
import { termAt } from './log.ts';
import { checkReceived } from './messages.ts';
import { checkMade, type Group, type Replica } from './model.ts';
import { must } from './violation.ts';

export function takeInput(group: Group, replica: Replica, input: Input<unknown>): void {
  switch (input.type) {
    case 'message':
      return takeMessage(group, replica, input.message);
    case 'persisted':
      must(input.token > replica.reported && input.token <= replica.ordered, 'persisted-order', () => ({
        token: input.token,
        reported: replica.reported,
        ordered: replica.ordered,
      }));
      replica.reported = input.token;
      return advanceDisk(replica, input.token);
    case 'applied':
      must(input.index <= replica.handed, 'apply-order', () => ({ applied: input.index, handed: replica.handed }));
      replica.applied = Math.max(replica.applied, input.index);
      return;
    case 'compact':
      must(input.index <= replica.applied, 'compaction', () => ({ index: input.index, applied: replica.applied }));
      return compact(replica, input.index);
    case 'read':
      if (replica.role === 'leader') replica.reads.set(input.context, { floor: group.committedLast, round: replica.roundSent });
      return;
    default:
      return;
  }
}

function takeMessage(group: Group, replica: Replica, message: Message<unknown>): void {
  must((message.to as number) === replica.id, 'message-sent', () => ({ to: message.to }));
  checkReceived(group, message);
  if (message.kind === 'append-request') {
    let previousTerm: number = message.indexTerm;
    for (const entry of message.entries) {
      // Entries that were compacted everywhere are known to nobody any more.
      if (group.made.has(entry.index)) checkMade(group, entry, previousTerm);
      previousTerm = entry.term;
    }
  }
  if ((message.term as number) !== replica.term) return;
  const isCandidate = replica.role === 'candidate';
  if (message.kind === 'vote-response' && isCandidate && !message.preVote && !message.reject) replica.votes.add(message.from);
  if (replica.role !== 'leader') return;
  if ((message.kind === 'append-response' || message.kind === 'snapshot-response') && !message.reject) {
    replica.match.set(message.from, Math.max(message.index, replica.match.get(message.from) ?? 0));
  }
  if (message.kind === 'heartbeat-response') {
    replica.echoes.set(message.from, Math.max(message.readRound, replica.echoes.get(message.from) ?? 0));
  }
}

/** Whether the entry before a message, as the sender has it, is the receiver's too. */
export const precedes = (replica: Replica, { index, indexTerm }: { readonly index: number; readonly indexTerm: number }): boolean =>
  index < replica.commit || termAt(replica.log, index) === indexTerm;
