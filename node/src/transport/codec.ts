/**
 * GroupMessage <-> proto RaftMessage.
 *
 * What comes from a socket is checked field by field before the core sees it: kinds,
 * number ranges, and that terms within one message agree. A message that fails is
 * dropped by the caller (losing a message is always safe); it never reaches a group.
 * Fields that a kind does not use are ignored, so that later versions may use them.
 *
 * Entries carry no index on the wire: it follows from the place, so a decoded request
 * is contiguous by construction. Payloads are views of the received frame, not copies.
 */
import { type RaftEntry, RaftEntryKind, type RaftMessage, RaftMessageKind, type RaftSnapshot } from '@balsa/proto/peer';
import { assert, unreachable } from '../core/assert.ts';
import { asGroupId, asRaftIndex, asTerm, type NodeId, type RaftIndex, type Term } from '../core/ids.ts';
import type { Entry, Snapshot } from '../core/raft/entry.ts';
import type { Membership } from '../core/raft/membership.ts';
import { decodeMembership, encodeMembership } from '../core/raft/membership-codec.ts';
import type { AppendRequest, Message, SnapshotRequest } from '../core/raft/message.ts';
import type { GroupMessage } from '../ports/network.ts';
import { entrySize } from './entry-size.ts';

/** A received message that breaks the protocol. */
export class BadMessage extends Error {
  override readonly name: string = 'BadMessage';
}

const noBytes = new Uint8Array(0);

export function encodeMessage({ group, generation, message }: GroupMessage): RaftMessage {
  const head: RaftMessage = { ...blank, groupId: group, generation, term: message.term };
  switch (message.kind) {
    case 'vote-request': {
      const { index, indexTerm, preVote, transfer } = message;
      return { ...head, kind: RaftMessageKind.RAFT_MESSAGE_KIND_VOTE_REQUEST, index, indexTerm, preVote, transfer };
    }
    case 'vote-response':
      return { ...head, kind: RaftMessageKind.RAFT_MESSAGE_KIND_VOTE_RESPONSE, preVote: message.preVote, reject: message.reject };
    case 'append-request': {
      const { index, indexTerm, commit } = message;
      return { ...head, kind: RaftMessageKind.RAFT_MESSAGE_KIND_APPEND_REQUEST, index, indexTerm, commit, entries: encodeEntries(message) };
    }
    case 'append-response': {
      const { reject, index, hintIndex, hintTerm } = message;
      return { ...head, kind: RaftMessageKind.RAFT_MESSAGE_KIND_APPEND_RESPONSE, reject, index, hintIndex, hintTerm };
    }
    case 'heartbeat-request':
      return { ...head, kind: RaftMessageKind.RAFT_MESSAGE_KIND_HEARTBEAT_REQUEST, commit: message.commit, readRound: message.readRound };
    case 'heartbeat-response':
      return { ...head, kind: RaftMessageKind.RAFT_MESSAGE_KIND_HEARTBEAT_RESPONSE, readRound: message.readRound };
    case 'snapshot-request':
      return { ...head, kind: RaftMessageKind.RAFT_MESSAGE_KIND_SNAPSHOT_REQUEST, snapshot: encodeSnapshot(message.snapshot) };
    case 'snapshot-response':
      return { ...head, kind: RaftMessageKind.RAFT_MESSAGE_KIND_SNAPSHOT_RESPONSE, index: message.index, reject: message.reject };
    case 'timeout-now':
      return { ...head, kind: RaftMessageKind.RAFT_MESSAGE_KIND_TIMEOUT_NOW };
    default:
      return unreachable(message, 'message kind');
  }
}

/** Throws BadMessage. `from` and `to` are not on the wire: the link knows them. */
export function decodeMessage(wire: RaftMessage, from: NodeId, to: NodeId): GroupMessage {
  const group = asGroupId(count(wire.groupId, 'group'));
  return { group, generation: count(wire.generation, 'generation'), message: decodeBody(wire, from, to) };
}

function decodeBody(wire: RaftMessage, from: NodeId, to: NodeId): Message<Uint8Array> {
  const envelope = { from, to, term: asTerm(count(wire.term, 'term')) };
  switch (wire.kind) {
    case RaftMessageKind.RAFT_MESSAGE_KIND_VOTE_REQUEST:
      return { ...envelope, kind: 'vote-request', ...decodeLogPosition(wire), preVote: wire.preVote, transfer: wire.transfer };
    case RaftMessageKind.RAFT_MESSAGE_KIND_VOTE_RESPONSE:
      return { ...envelope, kind: 'vote-response', preVote: wire.preVote, reject: wire.reject };
    case RaftMessageKind.RAFT_MESSAGE_KIND_APPEND_REQUEST: {
      const at = decodeLogPosition(wire);
      return { ...envelope, kind: 'append-request', ...at, commit: index(wire.commit, 'commit'), entries: decodeEntries(wire) };
    }
    case RaftMessageKind.RAFT_MESSAGE_KIND_APPEND_RESPONSE: {
      const hint = { hintIndex: index(wire.hintIndex, 'hint index'), hintTerm: term(wire.hintTerm, 'hint term') };
      return { ...envelope, kind: 'append-response', reject: wire.reject, index: index(wire.index, 'index'), ...hint };
    }
    case RaftMessageKind.RAFT_MESSAGE_KIND_HEARTBEAT_REQUEST: {
      requireElected(wire);
      return {
        ...envelope,
        kind: 'heartbeat-request',
        commit: index(wire.commit, 'commit'),
        readRound: count(wire.readRound, 'read round'),
      };
    }
    case RaftMessageKind.RAFT_MESSAGE_KIND_HEARTBEAT_RESPONSE:
      return { ...envelope, kind: 'heartbeat-response', readRound: count(wire.readRound, 'read round') };
    case RaftMessageKind.RAFT_MESSAGE_KIND_SNAPSHOT_REQUEST:
      return { ...envelope, kind: 'snapshot-request', snapshot: decodeSnapshot(wire) };
    case RaftMessageKind.RAFT_MESSAGE_KIND_SNAPSHOT_RESPONSE:
      return { ...envelope, kind: 'snapshot-response', index: index(wire.index, 'index'), reject: wire.reject };
    case RaftMessageKind.RAFT_MESSAGE_KIND_TIMEOUT_NOW:
      requireElected(wire);
      return { ...envelope, kind: 'timeout-now' };
    default:
      throw new BadMessage(`unknown message kind ${String(wire.kind)}`);
  }
}

function encodeEntries({ index: previous, entries }: AppendRequest<Uint8Array>): RaftEntry[] {
  return entries.map((entry, at) => {
    assert(entry.index === previous + 1 + at, 'entries of a request are not contiguous', { previous, at, index: entry.index });
    return encodeEntry(entry);
  });
}

export function encodeEntry(entry: Entry<Uint8Array>): RaftEntry {
  switch (entry.kind) {
    case 'noop':
      return { term: entry.term, kind: RaftEntryKind.RAFT_ENTRY_KIND_NOOP, payload: noBytes };
    case 'command':
      return { term: entry.term, kind: RaftEntryKind.RAFT_ENTRY_KIND_COMMAND, payload: entry.payload };
    case 'membership':
      return { term: entry.term, kind: RaftEntryKind.RAFT_ENTRY_KIND_MEMBERSHIP, payload: encodeMembership(entry.membership) };
    default:
      return unreachable(entry, 'entry kind');
  }
}

function decodeEntries(wire: RaftMessage): Entry<Uint8Array>[] {
  index(wire.index + wire.entries.length, 'index of the last entry');
  let newest = wire.indexTerm;
  return wire.entries.map((entry, at) => {
    const own = term(entry.term, 'entry term');
    if (own < newest || own > wire.term || own === 0) {
      throw new BadMessage(`entry of term ${own} after term ${newest} in a request of term ${wire.term}`);
    }
    newest = own;
    return decodeEntry(entry, asRaftIndex(wire.index + 1 + at), own);
  });
}

export function decodeEntry({ kind, payload }: RaftEntry, at: RaftIndex, own: Term): Entry<Uint8Array> {
  const facts = { index: at, term: own, size: entrySize(payload.length) };
  switch (kind) {
    case RaftEntryKind.RAFT_ENTRY_KIND_NOOP:
      if (payload.length > 0) throw new BadMessage('no-op with a payload');
      return { ...facts, kind: 'noop' };
    case RaftEntryKind.RAFT_ENTRY_KIND_COMMAND:
      return { ...facts, kind: 'command', payload };
    case RaftEntryKind.RAFT_ENTRY_KIND_MEMBERSHIP:
      return { ...facts, kind: 'membership', membership: membershipFrom(payload) };
    default:
      throw new BadMessage(`unknown entry kind ${String(kind)}`);
  }
}

export function encodeSnapshot(snapshot: SnapshotRequest<Uint8Array>['snapshot']): RaftSnapshot {
  return { index: snapshot.index, term: snapshot.term, membership: encodeMembership(snapshot.membership), state: snapshot.state };
}

function decodeSnapshot(wire: RaftMessage): Snapshot<Uint8Array> {
  requireElected(wire);
  const { snapshot } = wire;
  if (snapshot === undefined) throw new BadMessage('snapshot request without a snapshot');
  if (term(snapshot.term, 'snapshot term') > wire.term) throw new BadMessage('snapshot of a later term than its sender');
  return snapshotFrom(snapshot);
}

export function snapshotFrom(snapshot: RaftSnapshot): Snapshot<Uint8Array> {
  return {
    index: index(snapshot.index, 'snapshot index'),
    term: term(snapshot.term, 'snapshot term'),
    membership: membershipFrom(snapshot.membership),
    state: snapshot.state,
  };
}

function membershipFrom(bytes: Uint8Array): Membership {
  try {
    return decodeMembership(bytes);
  } catch (cause) {
    throw new BadMessage(`membership cannot be read: ${String(cause)}`, { cause });
  }
}

function decodeLogPosition(wire: RaftMessage): { readonly index: RaftIndex; readonly indexTerm: Term } {
  requireElected(wire);
  const at = { index: index(wire.index, 'index'), indexTerm: term(wire.indexTerm, 'index term') };
  if (at.indexTerm > wire.term) throw new BadMessage(`index term ${at.indexTerm} above the sender's term ${wire.term}`);
  if (at.index === 0 && at.indexTerm !== 0) throw new BadMessage(`index 0 with term ${at.indexTerm}`);
  return at;
}

/** Candidates and leaders have a term; only answers may come from a replica that never took part in an election. */
function requireElected(wire: RaftMessage): void {
  if (wire.term === 0) throw new BadMessage('request of term 0');
}

export function count(value: number, name: string): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new BadMessage(`${name} is ${value}`);
}

export const index = (value: number, name: string): RaftIndex => asRaftIndex(count(value, name));
export const term = (value: number, name: string): Term => asTerm(count(value, name));

const blank: RaftMessage = {
  kind: RaftMessageKind.RAFT_MESSAGE_KIND_UNSPECIFIED,
  groupId: 0,
  generation: 0,
  term: 0,
  index: 0,
  indexTerm: 0,
  commit: 0,
  reject: false,
  hintIndex: 0,
  hintTerm: 0,
  readRound: 0,
  preVote: false,
  transfer: false,
  entries: [],
  snapshot: undefined,
};
