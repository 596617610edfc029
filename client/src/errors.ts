/**
 * The one error class of the client. Its facts come from the error table that brokers and
 * clients share (docs/errors.md), so that a caller can decide by `code`, `retriable` and
 * `effect` and never by text. The text says what happened, why, and what to do next.
 */
import type { Error as WireError } from '@balsa/proto/client';
import { type ErrorCode, errorFacts, errorTable } from '@balsa/proto/errors';

/** What a failed write may have done: definitely nothing, or nobody knows. */
export type Effect = 'none' | 'unknown';

export interface BalsaErrorOptions {
  /** What happened and why, one or two sentences; the table's meaning if absent. */
  readonly detail?: string | undefined;
  readonly cause?: unknown;
  /** Narrower than the table when the client knows more, for example that it never sent the request. */
  readonly effect?: Effect | undefined;
  readonly topic?: string | undefined;
  readonly partition?: number | undefined;
  /** Node that leads the partition, if the broker told. */
  readonly leader?: LeaderHint | undefined;
}

export interface LeaderHint {
  readonly nodeId: number;
  /** Raft term in which the node leads; 0 if unknown. */
  readonly term: number;
}

export class BalsaError extends Error {
  override readonly name: string = 'BalsaError';
  readonly code: ErrorCode;
  /** What happened and why, without code and remedy, which `message` adds. */
  readonly detail: string;
  /** Whether the same call can succeed later without being changed. */
  readonly retriable: boolean;
  readonly effect: Effect;
  readonly topic: string | undefined;
  readonly partition: number | undefined;
  readonly leader: LeaderHint | undefined;

  constructor(code: ErrorCode, options: BalsaErrorOptions = {}) {
    super(describe(code, options), options.cause === undefined ? undefined : { cause: options.cause });
    const facts = errorTable[code];
    this.code = code;
    this.detail = options.detail ?? facts.meaning;
    this.retriable = facts.retriable;
    this.effect = options.effect ?? facts.effect;
    this.topic = options.topic;
    this.partition = options.partition;
    this.leader = options.leader;
  }
}

function describe(code: ErrorCode, options: BalsaErrorOptions): string {
  const { meaning, remedy } = errorTable[code];
  const what = options.detail ?? meaning;
  const place = options.topic === undefined ? '' : ` (${options.topic}${options.partition === undefined ? '' : `/${options.partition}`})`;
  return what.endsWith(remedy) ? `${code}${place}: ${what}` : `${code}${place}: ${what} ${remedy}`;
}

/** The error of a broker's answer; undefined if it reports none. */
export function fromWire(error: WireError | undefined, place: { topic?: string; partition?: number } = {}): BalsaError | undefined {
  if (error === undefined || error.code === '') return undefined;
  const leader = error.leaderNodeId === 0 ? undefined : { nodeId: error.leaderNodeId, term: error.leaderTerm };
  const detail = error.message === '' ? undefined : error.message;
  if (errorFacts(error.code) !== undefined) return new BalsaError(error.code as ErrorCode, { ...place, detail, leader });
  return new BalsaError('INTERNAL', {
    ...place,
    detail: `The broker answered ${error.code}, which this client does not know: ${error.message}`,
  });
}

/** Any thrown value as BalsaError; what is not one is a bug or an environment failure. */
export function asBalsaError(thrown: unknown): BalsaError {
  if (thrown instanceof BalsaError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new BalsaError('INTERNAL', { detail: `The client failed: ${message}.`, cause: thrown });
}
