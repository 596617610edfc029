/**
 * Order-preserving keys of the state store: fixed-width big-endian integers, most
 * significant part first, so that bytewise order is numeric order and everything of
 * one group (or one replica) is a contiguous range.
 *
 *   group            u32                       4 bytes
 *   replica          group u32, generation u32 8 bytes
 *   replica position replica, position u64    16 bytes
 *
 * A *position* is whatever a family orders by: an offset, a Raft index, a time stamp.
 * Values outside the width of their part are a bug of the caller.
 */
import { assert } from '../../core/assert.ts';
import { asGroupId, type GroupId } from '../../core/ids.ts';

const u32Max = 0xffff_ffff;
const u32Span = 0x1_0000_0000;
const groupBytes = 4;
const replicaBytes = 8;
const positionBytes = 16;

export interface ReplicaKey {
  readonly group: GroupId;
  readonly generation: number;
}

export function encodeGroupKey(group: GroupId): Uint8Array {
  const key = new Uint8Array(groupBytes);
  putU32(viewOf(key), 0, group);
  return key;
}

export function encodeReplicaKey({ group, generation }: ReplicaKey): Uint8Array {
  const key = new Uint8Array(replicaBytes);
  putReplica(viewOf(key), group, generation);
  return key;
}

export function encodePositionKey({ group, generation }: ReplicaKey, position: number): Uint8Array {
  assert(Number.isSafeInteger(position) && position >= 0, 'position does not fit a key', { position });
  const key = new Uint8Array(positionBytes);
  const view = viewOf(key);
  putReplica(view, group, generation);
  view.setUint32(replicaBytes, Math.floor(position / u32Span));
  view.setUint32(replicaBytes + 4, position % u32Span);
  return key;
}

/** Reads the replica at the start of a replica key or position key. */
export function decodeReplicaKey(key: Uint8Array): ReplicaKey {
  assert(key.length >= replicaBytes, 'not a replica key', { bytes: key.length });
  const view = viewOf(key);
  return { group: asGroupId(view.getUint32(0)), generation: view.getUint32(4) };
}

export function decodePosition(key: Uint8Array): number {
  assert(key.length === positionBytes, 'not a position key', { bytes: key.length });
  const view = viewOf(key);
  return view.getUint32(replicaBytes) * u32Span + view.getUint32(replicaBytes + 4);
}

/** The range of all keys that start with `prefix`; `to` is exclusive. */
export function prefixRange(prefix: Uint8Array): { readonly from: Uint8Array; readonly to: Uint8Array } {
  return { from: prefix, to: prefixEnd(prefix) };
}

/** The smallest key above every key that starts with `prefix`. A prefix of 0xff bytes only has none. */
export function prefixEnd(prefix: Uint8Array): Uint8Array {
  const last = prefix.findLastIndex((byte) => byte !== 0xff);
  assert(last >= 0, 'nothing sorts above this prefix', { bytes: prefix.length });
  const end = prefix.slice(0, last + 1);
  end[last] = (end[last] ?? 0) + 1;
  return end;
}

/** Bytewise order: negative if `a` sorts before `b`, 0 if they are equal. */
export function compareKeys(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function putReplica(view: DataView, group: GroupId, generation: number): void {
  putU32(view, 0, group);
  putU32(view, 4, generation);
}

function putU32(view: DataView, at: number, value: number): void {
  assert(Number.isInteger(value) && value >= 0 && value <= u32Max, 'value does not fit a key', { value });
  view.setUint32(at, value);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
