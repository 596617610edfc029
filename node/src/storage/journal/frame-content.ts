/**
 * Between the journal's vocabulary and frames: what goes into a frame's head and payload.
 *
 *   Membership => flags:u8 voters outgoing learners learnersNext     flags bit 0 = autoLeave
 *   list       => count:u16 node:u32*count
 */
import { unreachable } from '../../core/assert.ts';
import { asNodeId, asRaftIndex, asTerm, type NodeId } from '../../core/ids.ts';
import type { Entry, HardState, Snapshot } from '../../core/raft/entry.ts';
import type { Membership } from '../../core/raft/membership.ts';
import type { FrameHead } from './frame.ts';
import { viewOf } from './number-field.ts';
import { type Frame, JournalCorrupt } from './vocabulary.ts';

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
      const prefix = encodeMembership(membership);
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
      return { ...common, kind: 'membership', membership: decodeMembership(payload).membership };
    default:
      throw new JournalCorrupt(`frame of kind ${head.kind} where entry ${head.index} of group ${head.group} should be`);
  }
}

export function hardStateOfFrame(head: FrameHead): HardState {
  return { term: asTerm(head.term), votedFor: head.extra, commit: asRaftIndex(head.index) };
}

export function snapshotOfFrame(head: FrameHead, payload: Uint8Array): Snapshot<Uint8Array> {
  const { membership, end } = decodeMembership(payload);
  // A copy: `payload` is a view into a large read buffer, and the snapshot stays in memory.
  return { index: asRaftIndex(head.index), term: asTerm(head.term), membership, state: payload.slice(end) };
}

const listNames = ['voters', 'outgoing', 'learners', 'learnersNext'] as const;

export function encodeMembership(membership: Membership): Uint8Array {
  const nodes = listNames.reduce((sum, name) => sum + membership[name].length, 0);
  const bytes = new Uint8Array(1 + listNames.length * 2 + nodes * 4);
  const view = viewOf(bytes);
  view.setUint8(0, membership.autoLeave ? 1 : 0);
  let at = 1;
  for (const name of listNames) {
    view.setUint16(at, membership[name].length, true);
    at += 2;
    for (const node of membership[name]) {
      view.setUint32(at, node, true);
      at += 4;
    }
  }
  return bytes;
}

export function decodeMembership(bytes: Uint8Array): { readonly membership: Membership; readonly end: number } {
  const view = viewOf(bytes);
  let at = 1;
  const list = (): NodeId[] => {
    const count = view.getUint16(at, true);
    at += 2;
    const nodes = Array.from({ length: count }, (_, i) => asNodeId(view.getUint32(at + i * 4, true)));
    at += count * 4;
    return nodes;
  };
  try {
    const autoLeave = (view.getUint8(0) & 1) !== 0;
    const membership = { voters: list(), outgoing: list(), learners: list(), learnersNext: list(), autoLeave };
    return { membership, end: at };
  } catch (cause) {
    throw new JournalCorrupt('membership does not fit its frame', { cause });
  }
}
