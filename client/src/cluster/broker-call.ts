/**
 * Unary calls with retries: which broker to ask, what to learn from a refusal, when to
 * try again. A call ends with an answer, a refusal that no retry can change, or the end
 * of its scope (TIMEOUT or ABORTED).
 */
import type { Error as WireError } from '@balsa/proto/client';
import { asBalsaError, BalsaError, fromWire } from '../errors.ts';
import type { Method } from '../ports/transport.ts';
import { backoffMs } from './backoff.ts';
import { type CallScope, checkScope, pause, remainingMs, timedOut, withinScope } from './call-scope.ts';
import { checkOpen, type ClientContext } from './context.ts';
import { awaitAnswer } from './silence.ts';

interface MaybeRefused {
  readonly error?: WireError | undefined;
}

/** One call to one broker; rejects with the broker's refusal as well. */
export async function callBroker<Request, Response>(
  context: ClientContext,
  address: string,
  method: Method<Request, Response>,
  message: Request,
  scope: CallScope,
): Promise<Response> {
  checkOpen(context);
  const timeoutMs = Math.max(1, Math.min(context.requestTimeoutMs, remainingMs(context.ports.clock, scope)));
  const ended = awaitAnswer(context.silence, address);
  try {
    const answer = await context.ports.transport.unary(address, method, message, { timeoutMs, signal: scope.signal });
    ended('heard');
    return answer;
  } catch (thrown) {
    ended('given-up');
    throw thrown;
  }
}

/** Throws if the answer is a refusal. */
export function accepted<Response extends MaybeRefused>(answer: Response, place: { topic?: string; partition?: number } = {}): Response {
  const error = fromWire(answer.error, place);
  if (error !== undefined) throw error;
  return answer;
}

export interface RetryPolicy {
  /** Learns from a failure before the pause; may throw to end the call. Returns whether to try again without a pause. */
  readonly onFailure?: (error: BalsaError, failures: number) => Promise<boolean> | boolean;
  readonly isRetriable?: (error: BalsaError) => boolean;
}

/** Runs `attempt` until it succeeds, fails for good, or the scope ends. */
export async function withRetries<Result>(
  context: ClientContext,
  scope: CallScope,
  attempt: () => Promise<Result>,
  policy: RetryPolicy = {},
): Promise<Result> {
  const { clock, random } = context.ports;
  let last: BalsaError | undefined;
  for (let failures = 1; ; failures++) {
    try {
      checkScope(clock, scope, last);
      return await attempt();
    } catch (thrown) {
      const error = asBalsaError(thrown);
      const isRetriable = policy.isRetriable?.(error) ?? error.retriable;
      if (error.code === 'ABORTED' || !isRetriable) throw error;
      if (remainingMs(clock, scope) <= 0) throw error.code === 'TIMEOUT' ? error : timedOut(last ?? error);
      last = error;
      const again = await learn(context, scope, policy, error, failures);
      if (!again || failures > 2) await pause(clock, scope, backoffMs(failures, random));
    }
  }
}

/** What is learned may come from brokers that do not answer: the scope bounds that as well. */
async function learn(
  context: ClientContext,
  scope: CallScope,
  { onFailure }: RetryPolicy,
  error: BalsaError,
  failures: number,
): Promise<boolean> {
  if (onFailure === undefined) return false;
  const { clock } = context.ports;
  try {
    return await withinScope(clock, scope, Promise.resolve(onFailure(error, failures)));
  } catch (thrown) {
    const isOver = asBalsaError(thrown).code === 'TIMEOUT' && remainingMs(clock, scope) <= 0;
    throw isOver ? timedOut(error) : thrown;
  }
}
