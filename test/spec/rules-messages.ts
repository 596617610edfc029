/** What a replica may send: requests of the leader, answers of followers, and reads. */
import type { OutgoingMessage } from '@balsa/node/core/raft/message.ts';
import { termAt } from './log.ts';
import { noteSent } from './messages.ts';
import { currentMembership, durableOf, isInLeaderLog, isQuorum } from './model.ts';
import { checkVoteRequest, checkVoteResponse } from './rules-election.ts';
import { messagesOf, type Step } from './step.ts';
import { must } from './violation.ts';

export function checkMessages(step: Step): void {
  const { group, replica, effects, status } = step;
  for (const { message, waits } of messagesOf(step)) {
    must((message.from as number) === replica.id, 'message-term', () => ({ message }));
    const isVote = message.kind === 'vote-request' || message.kind === 'vote-response';
    must(isVote || message.term === status.term, 'message-term', () => ({ message, term: status.term }));
    checkMessage(step, message, waits);
    noteSent(group, replica, message, waits ? effects.write?.token : undefined);
  }
}

function checkMessage(step: Step, message: OutgoingMessage, waits: boolean): void {
  switch (message.kind) {
    case 'vote-request':
      return checkVoteRequest(step, message, waits);
    case 'vote-response':
      return checkVoteResponse(step, message, waits);
    case 'append-response':
    case 'snapshot-response':
      if (!message.reject) checkAcknowledgement(step, message, waits);
      return;
    case 'heartbeat-response':
      return checkEcho(step, message);
    default:
      must(step.leads, 'leader-only', () => ({ message, role: step.status.role, before: step.before }));
      return checkLeaderMessage(step, message);
  }
}

type LeaderMessage = Extract<OutgoingMessage, { kind: 'append-request' | 'heartbeat-request' | 'snapshot-request' | 'timeout-now' }>;

function checkLeaderMessage({ replica, status }: Step, message: LeaderMessage): void {
  const { log } = replica;
  const facts = () => ({ message, log, commit: status.commit, match: [...replica.match] });
  if (message.kind === 'append-request') {
    const { first, last } = message.entries;
    const isOwn = termAt(log, message.index) === message.indexTerm && first === message.index + 1 && last <= log.last && last >= first - 1;
    must(isOwn && message.commit <= status.commit, 'append-request', facts);
  } else if (message.kind === 'snapshot-request') {
    const { index, term } = message.snapshot;
    must(index === log.start && term === log.startTerm && index <= status.commit, 'append-request', facts);
  } else if (message.kind === 'heartbeat-request') {
    const known = Math.min(status.commit, replica.match.get(message.to) ?? 0);
    must(message.commit <= known, 'heartbeat-commit', facts);
    replica.roundSent = Math.max(replica.roundSent, message.readRound);
  }
}

type Acknowledgement = Extract<OutgoingMessage, { kind: 'append-response' | 'snapshot-response' }>;

/** Up to the end of the message, or of what is committed; equal to the leader's log; and on disk first. */
function checkAcknowledgement(step: Step, response: Acknowledgement, waits: boolean): void {
  const { group, replica, message, status } = step;
  const facts = () => ({ response, message, commit: status.commit, log: replica.log, durable: durableOf(replica), waits });
  const isAnswer = message?.kind === 'append-request' || message?.kind === 'snapshot-request';
  must(isAnswer && message.from === response.to && message.term === status.term, 'ack-matched', facts);
  const end = message.kind === 'append-request' ? message.index + message.entries.length : message.snapshot.index;
  const { index } = response;
  must(index <= Math.max(end, status.commit) && index <= replica.log.last, 'ack-matched', facts);
  const isMatched = index <= replica.log.start || isInLeaderLog(group, status.term, index, termAt(replica.log, index));
  must(isMatched, 'ack-matched', facts);
  must(waits || index <= durableOf(replica), 'ack-durable', facts);
}

function checkEcho({ message, status }: Step, response: Extract<OutgoingMessage, { kind: 'heartbeat-response' }>): void {
  const isEcho = message?.kind === 'heartbeat-request' && message.from === response.to && message.readRound === response.readRound;
  must(isEcho && message.term === status.term, 'read-echo', () => ({ response, message }));
}

export function checkReads({ group, replica, effects, status }: Step): void {
  for (const { context } of effects.readsRefused) replica.reads.delete(context);
  for (const { context, index } of effects.reads) {
    const read = replica.reads.get(context);
    replica.reads.delete(context);
    const facts = () => ({ context, index, read, commit: status.commit, echoes: [...replica.echoes] });
    must(read !== undefined && index >= read.floor && index <= status.commit, 'read-floor', facts);
    must(index > (group.leaders.get(status.term)?.base.last ?? index), 'read-own-term', facts);
    const follows = (node: number): boolean => node === replica.id || (replica.echoes.get(node) ?? 0) > read.round;
    must(isQuorum(currentMembership(replica), follows), 'read-quorum', facts);
  }
}
