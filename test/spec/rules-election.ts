/** Terms, votes and elections. */
import type { VoteRequest, VoteResponse } from '@balsa/node/core/raft/message.ts';
import { copyLog, lastTermOf, termAt } from './log.ts';
import { durableOf, isQuorum } from './model.ts';
import { messagesOf, type Step } from './step.ts';
import { must } from './violation.ts';

export function checkTermAndVote(step: Step): void {
  const { before, status, message, input } = step;
  const facts = () => ({ before, status, input: input.type, message });
  must(status.term >= before.term, 'term-monotonic', facts);
  if (message?.kind === 'vote-request' && message.preVote) {
    must(status.term === before.term && (status.vote as number) === before.vote, 'pre-vote-changes-nothing', facts);
  }
  const heard = heardTerm(step);
  const stands = status.role === 'candidate' && (status.vote as number) === step.replica.id;
  const isOwnCampaign = stands && status.term === Math.max(before.term, heard) + 1;
  must(status.term === before.term || status.term === heard || isOwnCampaign, 'term-cause', facts);
  const isGiven = message?.kind === 'vote-request' && !message.preVote && message.from === status.vote && message.term === status.term;
  const isFree = status.term > before.term || before.vote === 0;
  const isKept = status.term === before.term && (status.vote as number) === before.vote;
  const isNone = status.term > before.term && (status.vote as number) === 0;
  must(isKept || isNone || (isFree && isGiven) || isOwnCampaign, 'vote-once', facts);
  if (!isKept && isGiven) {
    const isAnswered = [...messagesOf(step)].some(({ message: sent }) => isGrant(sent) && sent.to === status.vote);
    must(isAnswered, 'vote-once', facts);
  }
}

/** The term that a message brings; a pre-vote brings none. */
function heardTerm({ message }: Step): number {
  if (message === undefined || (message.kind === 'vote-request' && message.preVote)) return 0;
  return message.kind === 'vote-response' && message.preVote && !message.reject ? 0 : message.term;
}

const isGrant = (message: { readonly kind: string }): message is VoteResponse =>
  message.kind === 'vote-response' && !(message as VoteResponse).reject && !(message as VoteResponse).preVote;

/** A grant, or a granted pre-vote: the candidate asked, its log is long enough, and a real vote is on disk first. */
export function checkVoteResponse(step: Step, response: VoteResponse, waits: boolean): void {
  const { message: request, status, replica } = step;
  const facts = () => ({ response, request, waits, last: replica.log.last, lastTerm: lastTermOf(replica.log), disk: replica.disk });
  if (response.reject) {
    must(response.term === status.term, 'message-term', facts);
    return;
  }
  const isAsked = request?.kind === 'vote-request' && request.from === response.to && request.preVote === response.preVote;
  must(isAsked && response.term === request.term, 'vote-once', facts);
  const lastTerm = lastTermOf(replica.log);
  const isUpToDate = request.indexTerm > lastTerm || ((request.indexTerm as number) === lastTerm && request.index >= replica.log.last);
  must(isUpToDate, 'vote-log-check', facts);
  if (response.preVote) return;
  must(response.term === status.term && status.vote === response.to, 'vote-once', facts);
  const { disk } = replica;
  must(waits || (disk.term === (response.term as number) && disk.vote === (response.to as number)), 'vote-durable', facts);
}

export function checkVoteRequest(step: Step, request: VoteRequest, waits: boolean): void {
  const { replica, status, before, input, message } = step;
  const facts = () => ({ request, waits, status, last: replica.log.last, disk: replica.disk });
  const isOwnEnd = (request.index as number) === replica.log.last && (request.indexTerm as number) === lastTermOf(replica.log);
  const askedTerm = request.preVote ? before.term + 1 : status.term;
  must(isOwnEnd && (request.term === askedTerm || (request.preVote && request.term === status.term + 1)), 'campaign', facts);
  if (request.preVote) {
    must(status.role === 'pre-candidate' || status.role === 'candidate', 'campaign', facts);
    return;
  }
  must(status.role === 'candidate' && (status.vote as number) === replica.id, 'campaign', facts);
  const { disk } = replica;
  const isOnDisk = disk.term === (status.term as number) && disk.vote === replica.id && durableOf(replica) >= replica.log.last;
  must(waits || isOnDisk, 'campaign-durable', facts);
  must(!request.transfer || (input.type === 'message' && message?.kind === 'timeout-now'), 'transfer-cause', facts);
}

/** Called before the new leader appends anything. */
export function checkElection({ group, replica, before, status, effects, becameLeader }: Step): void {
  const leader = group.leaders.get(status.leader === 0 ? -1 : status.term)?.node;
  if (status.role !== 'leader' && status.leader !== 0) {
    must(leader === (status.leader as number), 'leader-known', () => ({ status, known: leader }));
  }
  if (!becameLeader) return;
  const { id, disk, votes, log } = replica;
  const other = group.leaders.get(status.term)?.node;
  must(other === undefined, 'one-leader-per-term', () => ({ term: status.term, node: id, other }));
  const hasOwnVote = disk.term === (status.term as number) && disk.vote === id;
  const isElected = isQuorum(before.membership, (node) => (node === id ? hasOwnVote : votes.has(node)));
  must(before.role === 'candidate' && before.term === (status.term as number) && isElected && hasOwnVote, 'election-quorum', () => ({
    before,
    votes: [...votes],
    hasOwnVote,
  }));
  const committed = Math.max(0, ...[...group.commitsByTerm].filter(([term]) => term < status.term).map(([, index]) => index));
  const known = group.committed.get(committed);
  const isComplete = committed <= log.start || (known !== undefined ? termAt(log, committed) === known : committed <= log.last);
  must(isComplete, 'leader-completeness', () => ({ node: id, term: status.term, committed, log }));
  must(effects.write?.entries[0]?.kind === 'noop', 'leader-noop', () => ({ entries: effects.write?.entries }));
  group.leaders.set(status.term, { node: id, base: copyLog(log) });
}
