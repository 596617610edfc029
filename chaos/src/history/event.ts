/**
 * Events of a history: what the clients of a cluster asked, and what they were told.
 *
 * An operation is an `invoke` and at most one completion of the same `op`: `ok`, `fail` (it
 * certainly had no effect) or `info` (nobody knows). One thread records all events of a
 * history, an invocation before the request leaves and a completion after the answer is there.
 * So **the order of the events is the real-time order**: A ended before B began if A's
 * completion stands before B's invocation. `tNs` only measures; it must not run backwards.
 *
 * Rules for whoever records (what breaks them is a finding, `malformed-history`):
 *  - A process has one operation under way; only `send` may be pipelined.
 *  - After an `info` its process invokes nothing more: a new client, so a new process, takes over.
 *    What it had pipelined may still complete. Reads have no effect, so they end `ok` or `fail`.
 *  - A value id is sent by one operation only, once in the whole history.
 *  - A client that repeats a request by itself reports what its last attempt proves for all of
 *    them: "topic exists" after an attempt that may have created it is `info`, not `fail`.
 *
 * Numbers are safe integers. Offsets are those of one partition, starting at 0; every end
 * (high watermark, end offset) is exclusive, a log start inclusive.
 */
export type Acks = 'quorum' | 'leader' | 'none';
export type Kind = Invoke['f'];
export type EventType = 'invoke' | 'ok' | 'fail' | 'info';

/**
 * Who reads: a client of the workload, a fresh client that reads everything after the faults
 * ended, or the same from one node's own replica, which may lag but never lie.
 */
export type Source = 'client' | 'drain' | 'replica';

export interface Stamp {
  /** Pairs an invocation with its completion; unique in the history. */
  readonly op: number;
  /** Nanoseconds of the recorder's monotonic clock since the history began. */
  readonly tNs: number;
  readonly process: string;
  /** The node that was asked; required for source 'replica'. */
  readonly node?: number;
}

interface Place extends Stamp {
  readonly topic: string;
  readonly partition: number;
}

export interface SentRecord {
  /** The value: unique, and found again in what is read. */
  readonly id: number;
  /** Checksum over everything that a reader gets: key, headers, payload, timestamp. */
  readonly fingerprint?: number;
}

/** Records of one producer session; the order of invocations is the order of its pipeline. */
export interface SendInvoke extends Place {
  readonly type: 'invoke';
  readonly f: 'send';
  readonly session: string;
  readonly acks: Acks;
  readonly idempotent: boolean;
  readonly records: readonly SentRecord[];
}

/** What a client may know of how its records travelled, whatever became of them. */
export interface SendFacts {
  /** Sizes of the batches that held the records, in order; absent: not known. */
  readonly batches?: readonly number[];
  /** How often the records were put on the wire at most; absent: once. Bounds the copies of what is not idempotent. */
  readonly attempts?: number;
}

export interface SendOk extends Stamp, SendFacts {
  readonly type: 'ok';
  readonly f: 'send';
  /** By record; null or absent: not told (weak acks, a duplicate that was forgotten). */
  readonly offsets?: readonly (number | null)[];
  /** The life of the topic that acknowledged all of them; absent: not told, or several. */
  readonly incarnation?: string;
}

export interface PollInvoke extends Place {
  readonly type: 'invoke';
  readonly f: 'poll';
  readonly source?: Source;
}

export interface ReadRecord {
  readonly offset: number;
  readonly id: number;
  readonly fingerprint?: number;
}

export interface PollOk extends Stamp {
  readonly type: 'ok';
  readonly f: 'poll';
  readonly records: readonly ReadRecord[];
  readonly highWatermark?: number;
  readonly logStart?: number;
}

/** The process reads the partition from `offset` on; what it read before no longer matters. */
export interface AssignInvoke extends Place {
  readonly type: 'invoke';
  readonly f: 'assign' | 'seek';
  readonly offset: number;
}

export interface OffsetInvoke extends Place {
  readonly type: 'invoke';
  readonly f: 'end-offset' | 'start-offset';
  readonly source?: Source;
}

export interface OffsetOk extends Stamp {
  readonly type: 'ok';
  readonly f: 'end-offset' | 'start-offset';
  readonly offset: number;
}

export interface CreateInvoke extends Stamp {
  readonly type: 'invoke';
  readonly f: 'create-topic';
  readonly topic: string;
  /** Whether old records of the topic may be removed. */
  readonly retention?: boolean;
}

export interface CreateOk extends Stamp {
  readonly type: 'ok';
  readonly f: 'create-topic';
  /** Names this life of the topic; never used again (a topic id, or the Raft group of its partition 0). */
  readonly incarnation: string;
}

export interface DeleteInvoke extends Stamp {
  readonly type: 'invoke';
  readonly f: 'delete-topic';
  readonly topic: string;
}

export interface DescribeInvoke extends Stamp {
  readonly type: 'invoke';
  readonly f: 'describe-topics';
  /** Answered by the metadata leader after a quorum confirmed it; otherwise the answer may be old. */
  readonly linearizable?: boolean;
  /** The asked topics; absent: all. */
  readonly topics?: readonly string[];
}

export interface DescribedTopic {
  readonly name: string;
  readonly incarnation: string;
}

export interface DescribeOk extends Stamp {
  readonly type: 'ok';
  readonly f: 'describe-topics';
  /** Those that exist. */
  readonly topics: readonly DescribedTopic[];
}

/** Done, with nothing to tell. */
export interface PlainOk extends Stamp {
  readonly type: 'ok';
  readonly f: 'assign' | 'seek' | 'delete-topic';
}

export interface NotOk extends Stamp, SendFacts {
  readonly type: 'fail' | 'info';
  readonly f: Kind;
  /** Code of docs/errors.md. */
  readonly error?: string;
}

export type Invoke = SendInvoke | PollInvoke | AssignInvoke | OffsetInvoke | CreateInvoke | DeleteInvoke | DescribeInvoke;
export type Ok = SendOk | PollOk | OffsetOk | CreateOk | DescribeOk | PlainOk;
export type Completion = Ok | NotOk;
export type HistoryEvent = Invoke | Completion;

/** The operations of a history, by name. */
export const kinds = [
  'send',
  'poll',
  'assign',
  'seek',
  'end-offset',
  'start-offset',
  'create-topic',
  'delete-topic',
  'describe-topics',
] as const satisfies readonly Kind[];
