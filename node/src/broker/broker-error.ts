/**
 * How the broker says no: a code of the closed table, a message for a person, and a hint
 * to the leader if the request came to the wrong broker.
 */
import type { ErrorCode } from '@balsa/proto/errors';
import { errorTable } from '@balsa/proto/errors';
import type { NodeId, Term } from '../core/ids.ts';
import { asTerm, noNode } from '../core/ids.ts';
import type { HostRefusal } from '../host/vocabulary.ts';
import { HostError } from '../host/vocabulary.ts';

export interface LeaderHint {
  /** 0 if unknown. */
  readonly leader: NodeId;
  /** Term in which it leads, so that an older hint loses; 0 if unknown. */
  readonly term: Term;
}

export const noLeaderHint: LeaderHint = { leader: noNode, term: asTerm(0) };

export class BrokerError extends Error {
  override readonly name: string = 'BrokerError';
  readonly code: ErrorCode;
  readonly hint: LeaderHint;

  constructor(code: ErrorCode, message: string, hint: LeaderHint = noLeaderHint) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

/** An error that says what happened, with the table's advice on what to do next. */
export function brokerError(code: ErrorCode, what: string, hint: LeaderHint = noLeaderHint): BrokerError {
  return new BrokerError(code, `${what} ${errorTable[code].remedy}`, hint);
}

/** Not the leader: names the leader if it is known, so that the next attempt is the right one. */
export function notLeader(subject: string, hint: LeaderHint): BrokerError {
  if (hint.leader === noNode) return brokerError('LEADER_NOT_AVAILABLE', `No leader of ${subject} is known here at the moment.`, hint);
  return brokerError('NOT_LEADER', `This broker does not lead ${subject}; node ${hint.leader} does.`, hint);
}

/** A refusal of the host as an error about `subject` ("topic-3", "the cluster metadata"). */
export function fromRefusal(refusal: HostRefusal, subject: string): BrokerError {
  switch (refusal.reason) {
    case 'unknown-group':
      return brokerError('NOT_LEADER', `This broker holds no replica of ${subject}.`);
    case 'not-leader':
      return notLeader(subject, refusal);
    case 'leader-changed':
      return brokerError('LEADER_CHANGED', `The leader of ${subject} changed while the request was under way.`, refusal);
    case 'overloaded':
      return brokerError('OVERLOADED', `The limit ${refusal.limit} is reached for ${subject}.`);
    case 'disk-full':
      return brokerError('DISK_FULL', `The disk of the leader of ${subject} is full.`);
    case 'timeout':
      return refusal.effect === 'none'
        ? brokerError('LEADER_NOT_AVAILABLE', `${subject} could not be confirmed by a majority in time; nothing was written.`)
        : brokerError('TIMEOUT', `No majority of the replicas of ${subject} confirmed in time.`);
    case 'invalid-target':
    case 'invalid-membership':
      return brokerError('INVALID_TARGET', `The node named cannot lead ${subject}.`);
    case 'membership-change-pending':
      return brokerError('OVERLOADED', `A membership change of ${subject} is under way.`);
    case 'stopping':
      return brokerError('SHUTTING_DOWN', 'This broker is stopping.');
    case 'faulty':
      return brokerError('LEADER_NOT_AVAILABLE', `The replica of ${subject} on this broker is damaged and waits for repair.`);
  }
}

/** Runs a call of the host; its refusals become errors about `subject`. */
export async function viaHost<Result>(subject: string, call: Promise<Result>): Promise<Result> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof HostError) throw fromRefusal(error.refusal, subject);
    throw error;
  }
}
