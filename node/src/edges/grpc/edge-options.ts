/** What the client API is built from, and its bounds. */
import type { ErrorCode } from '@balsa/proto/errors';
import type { Broker } from '../../broker/broker.ts';

export interface EdgeLimits {
  /** Batch bytes in work on one produce stream; the stream is not read beyond it. */
  readonly produceStreamBytesMax: number;
  /** Bytes read for one fetch stream and not yet handed to its socket. */
  readonly fetchStreamBytesMax: number;
  /** Requests in work on one stream; the stream is not read beyond it. */
  readonly streamRequestsInflightMax: number;
  /** A client that takes none of its answers for so long loses its stream. */
  readonly streamStallMs: number;
  readonly streamsMax: number;
  readonly unaryInflightMax: number;
}

export interface EdgeObserver {
  readonly onRefused: (code: ErrorCode) => void;
  /** A failure that no code stands for; the client gets INTERNAL. */
  readonly onUnexpected: (error: unknown) => void;
  readonly onRequest: (method: string) => void;
  /** Open produce and fetch streams. */
  readonly onStreams: (open: number) => void;
}

/** Facts of the process for GetNodeStatus. */
export interface NodeMeasures {
  readonly version: string;
  readonly uptimeMs: number;
  readonly memoryBytes: number;
  readonly journalBytes: number;
  readonly diskFreeBytes: number;
}

export interface EdgeOptions {
  readonly broker: Broker;
  readonly limits: EdgeLimits;
  readonly observer: EdgeObserver;
  readonly measures: () => Promise<NodeMeasures>;
}
