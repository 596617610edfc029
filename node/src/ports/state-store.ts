/**
 * Ordered key-value store for derived state: everything in it can be rebuilt from
 * the journal, so writes are not synced and may vanish, newest first, at a crash.
 *
 * Contract: a batch is atomic, also across column families. After `flush` resolved
 * everything written before is durable. A reader sees all batches that resolved.
 * Keys order bytewise. Errors are StateStoreError; after 'corruption' or
 * 'background-error' the store serves nothing any more and must be rebuilt.
 */
export type ColumnFamily = 'meta' | 'offsets' | 'timestamps' | 'checkpoints';
export const columnFamilies: readonly ColumnFamily[] = ['meta', 'offsets', 'timestamps', 'checkpoints'];

export type StateWrite =
  | { readonly op: 'put'; readonly family: ColumnFamily; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly op: 'delete'; readonly family: ColumnFamily; readonly key: Uint8Array }
  /** Deletes from (inclusive) to (exclusive). */
  | { readonly op: 'delete-range'; readonly family: ColumnFamily; readonly from: Uint8Array; readonly to: Uint8Array };

export interface KeyRange {
  /** Inclusive. */
  readonly from: Uint8Array;
  /** Exclusive. */
  readonly to: Uint8Array;
  readonly reverse?: boolean;
  readonly limit: number;
}

export interface StateStore {
  readonly get: (family: ColumnFamily, key: Uint8Array) => Promise<Uint8Array | undefined>;
  readonly range: (family: ColumnFamily, range: KeyRange) => Promise<readonly (readonly [key: Uint8Array, value: Uint8Array])[]>;
  readonly write: (batch: readonly StateWrite[]) => Promise<void>;
  readonly flush: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export class StateStoreError extends Error {
  override readonly name: string = 'StateStoreError';
  readonly code: 'corruption' | 'background-error' | 'locked' | 'closed' | 'io';

  constructor(code: StateStoreError['code'], message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
