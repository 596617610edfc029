/** Turns the caller's start and end into offsets of one partition. */
import { OffsetPosition } from '@balsa/proto/client';
import type { CallScope } from '../cluster/call-scope.ts';
import type { ClientContext } from '../cluster/context.ts';
import { listOffset } from '../cluster/leader-call.ts';
import { BalsaError } from '../errors.ts';
import type { EndPosition, StartPosition } from './settings.ts';

export interface Place {
  readonly topic: string;
  readonly partition: number;
}

export async function startOffset(context: ClientContext, place: Place, from: StartPosition, scope: CallScope): Promise<number> {
  if (from === 'earliest') return await earliestOffset(context, place, scope);
  if (from instanceof Map) {
    const offset: unknown = from.get(place.partition);
    return typeof offset === 'bigint' ? checkOffset(offset) : await earliestOffset(context, place, scope);
  }
  return await endOffset(context, place, from as EndPosition, scope);
}

export async function endOffset(context: ClientContext, place: Place, until: EndPosition, scope: CallScope): Promise<number> {
  if (until === 'latest') return await latestOffset(context, place, scope);
  if (typeof until === 'bigint') return checkOffset(until);
  const timeMs = Number(until);
  if (!(Number.isSafeInteger(timeMs) && timeMs >= 0)) {
    throw new BalsaError('INVALID_REQUEST', { detail: `${String(until)} is not a time; offsets are bigint, times Date or milliseconds.` });
  }
  return await listOffset(context, place, OffsetPosition.OFFSET_POSITION_TIME, scope, timeMs);
}

export function earliestOffset(context: ClientContext, place: Place, scope: CallScope): Promise<number> {
  return listOffset(context, place, OffsetPosition.OFFSET_POSITION_EARLIEST, scope);
}

export function latestOffset(context: ClientContext, place: Place, scope: CallScope): Promise<number> {
  return listOffset(context, place, OffsetPosition.OFFSET_POSITION_LATEST, scope);
}

function checkOffset(offset: bigint): number {
  if (offset >= 0n && offset <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(offset);
  throw new BalsaError('INVALID_REQUEST', { detail: `${offset} is not an offset.` });
}
