/**
 * The notation of the scripts. A place in a log is index@term; `1->2` is from -> to;
 * a membership is (voters), (voters)&&(outgoing) while joint, and its learners.
 */
import type { Write } from '@balsa/node/core/raft/effects.ts';
import type { Entry, HardState, Snapshot } from '@balsa/node/core/raft/entry.ts';
import type { Membership } from '@balsa/node/core/raft/membership.ts';
import type { AppendRequest, Message, OutgoingMessage } from '@balsa/node/core/raft/message.ts';

const ids = (nodes: readonly number[]): string => nodes.join(' ');

export function renderMembership({ voters, outgoing, learners, learnersNext, autoLeave }: Membership): string {
  const joint = outgoing.length === 0 ? '' : `&&(${ids(outgoing)})`;
  const listening = learners.length === 0 ? '' : ` learners (${ids(learners)})`;
  const next = learnersNext.length === 0 ? '' : ` learners-next (${ids(learnersNext)})`;
  return `(${ids(voters)})${joint}${listening}${next}${autoLeave ? ' auto-leave' : ''}`;
}

export function renderEntry(entry: Entry<string>): string {
  const place = `${entry.index}@${entry.term}`;
  if (entry.kind === 'noop') return `${place} noop`;
  return entry.kind === 'command' ? `${place} "${entry.payload}"` : `${place} ${renderMembership(entry.membership)}`;
}

export const renderEntries = (entries: readonly Entry<string>[]): string => `[${entries.map(renderEntry).join(', ')}]`;

export const renderHardState = ({ term, votedFor, commit }: HardState): string => `term ${term} vote ${votedFor} commit ${commit}`;

export const renderSnapshot = ({ index, term, membership, state }: Snapshot<string>): string =>
  `${index}@${term} ${renderMembership(membership)} "${state}"`;

export function renderWrite({ snapshot, entries, hardState }: Write<string>): string {
  const parts = [
    ...(hardState === undefined ? [] : [renderHardState(hardState)]),
    ...(snapshot === undefined ? [] : [`snapshot ${renderSnapshot(snapshot)}`]),
    ...(entries.length === 0 ? [] : [renderEntries(entries)]),
  ];
  // A write of nothing only holds messages back until the writes before it are done.
  return parts.length === 0 ? 'nothing' : parts.join('; ');
}

export function renderMessage(message: Message<string>): string {
  return `${message.from}->${message.to} ${nameOf(message)} t${message.term}${renderBody(message)}`;
}

/** A message that still names its entries or snapshot instead of holding them. */
export function renderOutgoing(message: OutgoingMessage): string {
  const head = `${message.from}->${message.to} ${nameOf(message)} t${message.term}`;
  if (message.kind === 'append-request') return `${head} ${message.entries.first}..${message.entries.last}`;
  if (message.kind === 'snapshot-request') return `${head} ${message.snapshot.index}@${message.snapshot.term}`;
  return `${head}${renderBody(message)}`;
}

const nameOf = (message: OutgoingMessage | Message<string>): string =>
  (message.kind === 'vote-request' || message.kind === 'vote-response') && message.preVote ? `pre-${message.kind}` : message.kind;

function renderBody(message: Message<string>): string {
  switch (message.kind) {
    case 'vote-request':
      return ` last ${message.index}@${message.indexTerm}${message.transfer ? ' by transfer' : ''}`;
    case 'vote-response':
      return message.reject ? ' REFUSED' : ' granted';
    case 'append-request':
      return renderAppend(message);
    case 'append-response':
      return message.reject ? ` REJECTED ${message.index}, try ${message.hintIndex}@${message.hintTerm}` : ` ${message.index}`;
    case 'heartbeat-request':
      return ` commit ${message.commit}${message.readRound === 0 ? '' : ` round ${message.readRound}`}`;
    case 'heartbeat-response':
      return message.readRound === 0 ? '' : ` round ${message.readRound}`;
    case 'snapshot-request':
      return ` ${renderSnapshot(message.snapshot)}`;
    case 'snapshot-response':
      return `${message.reject ? ' REJECTED' : ''} ${message.index}`;
    case 'timeout-now':
      return '';
  }
}

const renderAppend = ({ index, indexTerm, entries, commit }: AppendRequest<string>): string =>
  ` after ${index}@${indexTerm} ${renderEntries(entries)} commit ${commit}`;
