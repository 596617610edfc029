/** What the journal needs to be opened, and what it tells while it runs. */
import type { Clock } from '../../ports/clock.ts';
import type { Disk } from '../../ports/disk.ts';
import type { GroupKey } from './vocabulary.ts';

const mib = 1 << 20;

export interface JournalOptions {
  readonly disk: Disk;
  /** Folder of the segments; created if it is not there. */
  readonly folder: string;
  /** Identity of the data folder (identity.ts): segments of another one are refused. At most 64 bytes. */
  readonly storeId: string;
  /** The folder has had a journal: if it is empty now, that one was lost. Default: false. */
  readonly begun: boolean;
  /** Size of a segment. Default: 64 MiB. */
  readonly segmentBytes: number;
  /** Recent entries kept in memory, over all groups. Default: 64 MiB. */
  readonly cacheBytesMax: number;
  /** One write covers at most this (or one frame, if that is larger). Default: 8 MiB. Maximum: half a segment. */
  readonly batchBytesMax: number;
  /** Room that clients may not use when the disk is full (AppendPurpose). Default: 1 MiB. Maximum: a quarter of a segment. */
  readonly reserveBytes: number;
  /** No new segment is begun if less would stay free on the disk. Default: 256 MiB. */
  readonly fullFreeBytesMin: number;
  /** Live frames that one call of reclaim may move forward. Default: 4 MiB. */
  readonly moveBytesMax: number;
  /** Lack of space is looked at again after this time. Default: 1000. */
  readonly fullRetryMs: number;
  readonly onFatal: (error: Error) => void;
  readonly onEvent?: (event: JournalEvent) => void;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Runs a callback later; without it a full journal looks for space only when it is called. */
  readonly after?: Clock['after'];
}

/** Options that have a default. */
export const journalDefaults = {
  begun: false,
  segmentBytes: 64 * mib,
  cacheBytesMax: 64 * mib,
  batchBytesMax: 8 * mib,
  reserveBytes: mib,
  fullFreeBytesMin: 256 * mib,
  moveBytesMax: 4 * mib,
  fullRetryMs: 1000,
} as const;

export type JournalOpenOptions = Omit<JournalOptions, keyof typeof journalDefaults> &
  Partial<Pick<JournalOptions, keyof typeof journalDefaults>>;

export type JournalEvent =
  | {
      readonly type: 'recovered';
      readonly segments: number;
      readonly batches: number;
      readonly frames: number;
      readonly durationMs: number;
    }
  /** Recovery met this case of recovery-table.ts. */
  | { readonly type: 'recovery-case'; readonly label: string; readonly sequence: number; readonly offset: number }
  | { readonly type: 'torn-tail'; readonly sequence: number; readonly offset: number; readonly batch: number }
  | { readonly type: 'corrupt'; readonly sequence: number; readonly offset: number; readonly detail: string }
  | ({ readonly type: 'group-faulty'; readonly first: number; readonly last: number } & GroupKey)
  | { readonly type: 'synced'; readonly bytes: number; readonly frames: number; readonly durationMs: number }
  | { readonly type: 'segment-rolled'; readonly sequence: number }
  | { readonly type: 'segment-removed'; readonly sequence: number; readonly bytes: number }
  | { readonly type: 'frames-moved'; readonly frames: number; readonly bytes: number }
  | { readonly type: 'full' }
  | { readonly type: 'unfull' }
  | { readonly type: 'watermark-failed'; readonly message: string };
