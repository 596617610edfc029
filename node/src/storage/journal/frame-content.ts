/**
 * Between the journal's vocabulary and frames: what goes into a frame's head and payload.
 *
 *   membership entry => Membership                        (core/raft/membership-codec.ts, as on the wire)
 *   log start        => bytes:u16 Membership state        bytes: length of the membership; little-endian
 */
import { unreachable } from '../../core/assert.ts';
import { asRaftIndex, asTerm } from '../../core/ids.ts';
import type { Entry, HardState, Snapshot } from '../../core/raft/entry.ts';
import type { Membership } from '../../core/raft/membership.ts';
import { decodeMembership, encodeMembership, MembershipCorrupt } from '../../core/raft/membership-codec.ts';
import type { FrameHead } from './frame.ts';
import { viewOf } from './number-field.ts';
import { type Frame, JournalCorrupt } from './vocabulary.ts';

/** Length field before the membership of a log start. */
const lengthBytes = 2;
const noPayload: readonly Uint8Array[] = [];

const newFrame = { restored: false, keeps: false };

export interface FrameContent {
  readonly head: FrameHead;
  /** Parts of the payload, in order. */
  readonly payload: readonly Uint8Array[];
}

/** `keeps` is only read of a log start. */
export function contentOfFrame(frame: Frame, flags: { readonly restored: boolean; readonly keeps: boolean } = newFrame): FrameContent {
  const common = { group: frame.group as number, generation: frame.generation, restored: flags.restored, keeps: false };
  switch (frame.kind) {
    case 'entry':
      return contentOfEntry(common, frame.entry);
    case 'hard-state': {
      const { term, votedFor, commit } = frame.hardState;
      return { head: { ...common, kind: 'hard-state', term, index: commit, extra: votedFor, length: 0 }, payload: noPayload };
    }
    case 'log-start': {
      const { index, term, membership, state } = frame.snapshot;
      const encoded = encodeMembership(membership);
      const prefix = new Uint8Array(lengthBytes + encoded.length);
      viewOf(prefix).setUint16(0, encoded.length, true);
      prefix.set(encoded, lengthBytes);
      const head = {
        ...common,
        keeps: flags.keeps,
        kind: 'log-start' as const,
        term,
        index,
        extra: 0,
        length: prefix.length + state.length,
      };
      return { head, payload: [prefix, state] };
    }
    case 'removed':
      return { head: { ...common, kind: 'removed', term: 0, index: 0, extra: 0, length: 0 }, payload: noPayload };
    default:
      return unreachable(frame, 'frame kind');
  }
}

type Common = Pick<FrameHead, 'group' | 'generation' | 'restored' | 'keeps'>;

function contentOfEntry(common: Common, entry: Entry<Uint8Array>): FrameContent {
  const payload = payloadOfEntry(entry);
  const length = payload?.length ?? 0;
  const { group, generation, restored, keeps } = common;
  const head = { group, generation, restored, keeps, kind: entry.kind, term: entry.term, index: entry.index, extra: entry.size, length };
  return { head, payload: payload === undefined ? noPayload : [payload] };
}

function payloadOfEntry(entry: Entry<Uint8Array>): Uint8Array | undefined {
  if (entry.kind === 'command') return entry.payload;
  return entry.kind === 'membership' ? encodeMembership(entry.membership) : undefined;
}

export function entryOfFrame(head: FrameHead, payload: Uint8Array): Entry<Uint8Array> {
  const common = { index: asRaftIndex(head.index), term: asTerm(head.term), size: head.extra };
  switch (head.kind) {
    case 'noop':
      return { ...common, kind: 'noop' };
    case 'command':
      return { ...common, kind: 'command', payload };
    case 'membership':
      return { ...common, kind: 'membership', membership: membershipOfPayload(payload) };
    default:
      throw new JournalCorrupt(`frame of kind ${head.kind} where entry ${head.index} of group ${head.group} should be`);
  }
}

export function hardStateOfFrame(head: FrameHead): HardState {
  return { term: asTerm(head.term), votedFor: head.extra, commit: asRaftIndex(head.index) };
}

export function snapshotOfFrame(head: FrameHead, payload: Uint8Array): Snapshot<Uint8Array> {
  const end = lengthBytes + (payload.length < lengthBytes ? 0 : viewOf(payload).getUint16(0, true));
  const membership = membershipOfPayload(payload.subarray(lengthBytes, end));
  // A copy: `payload` is a view into a large read buffer, and the snapshot stays in memory.
  return { index: asRaftIndex(head.index), term: asTerm(head.term), membership, state: payload.slice(end) };
}

/** A sound checksum over bytes that are no membership means that something else was written there. */
export function membershipOfPayload(bytes: Uint8Array): Membership {
  try {
    return decodeMembership(bytes);
  } catch (cause) {
    if (cause instanceof MembershipCorrupt) throw new JournalCorrupt(cause.message, { cause });
    throw cause;
  }
}
