/**
 * Rows of the 'checkpoints' column family.
 *
 *   key   = group:u32 generation:u32 index:u64         (big-endian, so rows of a group sort by index)
 *   value = term:u64 mark:u64 state:bytes
 */
import type { RaftIndex } from '../core/ids.ts';
import { asRaftIndex, asTerm } from '../core/ids.ts';
import type { ColumnFamily } from '../ports/state-store.ts';
import type { GroupKey } from '../storage/journal/vocabulary.ts';
import type { Checkpoint } from './vocabulary.ts';

export const checkpointFamily: ColumnFamily = 'checkpoints';
const keyBytes = 16;
const valueHeadBytes = 16;

export function checkpointKey({ group, generation }: GroupKey, index: RaftIndex | number): Uint8Array {
  const key = new Uint8Array(keyBytes);
  const view = new DataView(key.buffer);
  view.setUint32(0, group);
  view.setUint32(4, generation);
  view.setBigUint64(8, BigInt(index));
  return key;
}

export const indexOfKey = (key: Uint8Array): RaftIndex =>
  asRaftIndex(Number(new DataView(key.buffer, key.byteOffset, key.byteLength).getBigUint64(8)));

/** Keys of all checkpoints of a group: from (inclusive), to (exclusive). */
export function checkpointRange(key: GroupKey): { readonly from: Uint8Array; readonly to: Uint8Array } {
  return { from: checkpointKey(key, 0), to: checkpointKey(key, Number.MAX_SAFE_INTEGER) };
}

export function encodeCheckpoint({ term, mark }: Checkpoint, state: Uint8Array): Uint8Array {
  const value = new Uint8Array(valueHeadBytes + state.byteLength);
  const view = new DataView(value.buffer);
  view.setBigUint64(0, BigInt(term));
  view.setBigUint64(8, BigInt(mark));
  value.set(state, valueHeadBytes);
  return value;
}

export function decodeCheckpoint(value: Uint8Array, key?: Uint8Array): { readonly checkpoint: Checkpoint; readonly state: Uint8Array } {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  const checkpoint = {
    index: key === undefined ? asRaftIndex(0) : indexOfKey(key),
    term: asTerm(Number(view.getBigUint64(0))),
    mark: Number(view.getBigUint64(8)),
  };
  return { checkpoint, state: value.subarray(valueHeadBytes) };
}
