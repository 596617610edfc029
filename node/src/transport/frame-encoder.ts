/**
 * Encodes a PeerFrame into one buffer: sizes first, then every byte written once.
 * The generated encoder copies a payload once per level of nesting and once more when
 * it grows. The bytes are the same (property-tested); decoding stays generated.
 *
 * Only messages are encoded here; the hello is small and rare.
 */
import type { RaftEntry, RaftMessage, RaftSnapshot } from '@balsa/proto/peer';
import { assert } from '../core/assert.ts';

/** Tags (field number << 3 | wire type) of proto/balsa/v1/peer.proto. */
const frameMessagesTag = 0x12;
const messageTag = {
  kind: 0x08,
  groupId: 0x10,
  generation: 0x18,
  term: 0x20,
  index: 0x28,
  indexTerm: 0x30,
  commit: 0x38,
  reject: 0x40,
  hintIndex: 0x48,
  hintTerm: 0x50,
  readRound: 0x58,
  preVote: 0x60,
  transfer: 0x68,
  entries: 0x72,
  snapshot: 0x7a,
} as const;
const entryTag = { term: 0x08, kind: 0x10, payload: 0x1a } as const;
const snapshotTag = { index: 0x08, term: 0x10, membership: 0x1a, state: 0x22 } as const;

/** A message with the sizes that its encoding needs, so that they are computed once. */
export interface SizedMessage {
  readonly message: RaftMessage;
  /** Bytes of the message without its tag and length in the frame. */
  readonly bodyBytes: number;
  /** Bytes that the message adds to a frame. */
  readonly frameBytes: number;
}

export function sizeMessage(message: RaftMessage): SizedMessage {
  let bodyBytes = 0;
  for (const value of scalarsOf(message)) bodyBytes += numberBytes(value);
  for (const entry of message.entries) bodyBytes += nestedBytes(entryBytes(entry));
  if (message.snapshot !== undefined) bodyBytes += nestedBytes(snapshotBytes(message.snapshot));
  return { message, bodyBytes, frameBytes: nestedBytes(bodyBytes) };
}

export function encodeFrame(messages: readonly SizedMessage[]): Buffer {
  const size = messages.reduce((sum, { frameBytes }) => sum + frameBytes, 0);
  const out: Cursor = { bytes: Buffer.allocUnsafe(size), at: 0 };
  for (const sized of messages) {
    putNested(out, frameMessagesTag, sized.bodyBytes);
    putMessage(out, sized.message);
  }
  assert(out.at === size, 'frame size differs from its computed size', { size, written: out.at });
  return out.bytes;
}

interface Cursor {
  readonly bytes: Buffer;
  /** Next byte to write. */
  at: number;
}

function putMessage(out: Cursor, message: RaftMessage): void {
  putNumber(out, messageTag.kind, message.kind);
  putNumber(out, messageTag.groupId, message.groupId);
  putNumber(out, messageTag.generation, message.generation);
  putNumber(out, messageTag.term, message.term);
  putNumber(out, messageTag.index, message.index);
  putNumber(out, messageTag.indexTerm, message.indexTerm);
  putNumber(out, messageTag.commit, message.commit);
  putNumber(out, messageTag.reject, Number(message.reject));
  putNumber(out, messageTag.hintIndex, message.hintIndex);
  putNumber(out, messageTag.hintTerm, message.hintTerm);
  putNumber(out, messageTag.readRound, message.readRound);
  putNumber(out, messageTag.preVote, Number(message.preVote));
  putNumber(out, messageTag.transfer, Number(message.transfer));
  for (const entry of message.entries) putEntry(out, entry);
  if (message.snapshot !== undefined) putSnapshot(out, message.snapshot);
}

/** Every number of a message; all tags of these fields take one byte. */
function scalarsOf(message: RaftMessage): readonly number[] {
  const { kind, groupId, generation, term, index, indexTerm, commit, hintIndex, hintTerm, readRound } = message;
  const flags = [Number(message.reject), Number(message.preVote), Number(message.transfer)];
  return [kind, groupId, generation, term, index, indexTerm, commit, hintIndex, hintTerm, readRound, ...flags];
}

function putEntry(out: Cursor, entry: RaftEntry): void {
  putNested(out, messageTag.entries, entryBytes(entry));
  putNumber(out, entryTag.term, entry.term);
  putNumber(out, entryTag.kind, entry.kind);
  putBytes(out, entryTag.payload, entry.payload);
}

function entryBytes(entry: RaftEntry): number {
  return numberBytes(entry.term) + numberBytes(entry.kind) + bytesBytes(entry.payload);
}

function putSnapshot(out: Cursor, snapshot: RaftSnapshot): void {
  putNested(out, messageTag.snapshot, snapshotBytes(snapshot));
  putNumber(out, snapshotTag.index, snapshot.index);
  putNumber(out, snapshotTag.term, snapshot.term);
  putBytes(out, snapshotTag.membership, snapshot.membership);
  putBytes(out, snapshotTag.state, snapshot.state);
}

function snapshotBytes(snapshot: RaftSnapshot): number {
  return numberBytes(snapshot.index) + numberBytes(snapshot.term) + bytesBytes(snapshot.membership) + bytesBytes(snapshot.state);
}

/** Proto3: a field with its default value is not on the wire. */
function putNumber(out: Cursor, tag: number, value: number): void {
  if (value === 0) return;
  out.bytes[out.at++] = tag;
  putVarint(out, value);
}

function putBytes(out: Cursor, tag: number, value: Uint8Array): void {
  if (value.length === 0) return;
  putNested(out, tag, value.length);
  out.bytes.set(value, out.at);
  out.at += value.length;
}

function putNested(out: Cursor, tag: number, length: number): void {
  out.bytes[out.at++] = tag;
  putVarint(out, length);
}

function putVarint(out: Cursor, value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    out.bytes[out.at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  out.bytes[out.at++] = rest;
}

function numberBytes(value: number): number {
  return value === 0 ? 0 : 1 + varintBytes(value);
}

function bytesBytes(value: Uint8Array): number {
  return value.length === 0 ? 0 : nestedBytes(value.length);
}

/** Tag, length and body of a length-delimited field. */
function nestedBytes(bodyBytes: number): number {
  return 1 + varintBytes(bodyBytes) + bodyBytes;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}
