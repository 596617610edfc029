/** What a running link shares with its connections: a plain record. */
import type { Connection } from './connection.ts';
import type { LinkCounters } from './counters.ts';
import type { Direction, LinkState } from './impairment.ts';
import type { ReplyCut } from './reply-cut.ts';
import type { TokenBucket } from './token-bucket.ts';

export interface LinkTarget {
  readonly host: string;
  readonly port: number;
}

export interface RunningReplyCut {
  readonly cut: ReplyCut;
  victim: Connection | undefined;
  /** Called after every step of the victim, to act on what it has become. */
  readonly review: () => void;
}

export interface LinkRuntime {
  readonly target: LinkTarget;
  readonly protocol: 'grpc' | 'bytes';
  readonly connections: Set<Connection>;
  readonly counters: LinkCounters;
  readonly buckets: Readonly<Record<Direction, TokenBucket>>;
  /** Faults in effect; `state` is what they make together. */
  readonly layers: Set<LinkState>;
  state: LinkState;
  replyCut: RunningReplyCut | undefined;
  readonly nowMs: () => number;
  /** -1..1 for the next chunk. */
  readonly jitterShare: () => number;
}
