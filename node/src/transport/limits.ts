/** Every bound of the transport. */
export interface TransportLimits {
  /** Frames are cut between messages so that they stay below this; only a single message may be larger. */
  readonly frameBytes: number;
  /** A message above this is dropped; it bounds what one frame can make a receiver allocate. */
  readonly messageBytesMax: number;
  /** Queued bytes per peer; a frame that would exceed it is dropped. An empty queue takes any frame. */
  readonly controlQueueBytesMax: number;
  readonly bulkQueueBytesMax: number;
  /** Bytes handed to the HTTP/2 stream and not yet taken over by the operating system. */
  readonly writingBytesMax: number;
  /** HTTP/2 window of a subscription, which bounds what a sender may have under way. */
  readonly windowBytes: number;
  readonly reconnectMsMin: number;
  readonly reconnectMsMax: number;
  /** Pause after a refusal: the configuration is wrong, and somebody must mend it. */
  readonly refusedRetryMs: number;
  /** From dialling to a verified hello. */
  readonly helloTimeoutMs: number;
  /** Interval of pings, and how long an answer may take; their sum bounds the discovery of a half-open connection. */
  readonly pingIntervalMs: number;
  readonly controlPingTimeoutMs: number;
  /** Longer: an answer queues behind the entries that are under way. */
  readonly bulkPingTimeoutMs: number;
  /** Entry bytes of one answer to readEntries, whatever the peer asks for (one entry may be larger). */
  readonly readEntriesBytesMax: number;
  /** Calls of readEntries served at the same time; more are refused and come again. */
  readonly readEntriesCallsMax: number;
  readonly readEntriesTimeoutMs: number;
}

const kib = 1024;
const mib = 1024 * kib;

export const defaultLimits: TransportLimits = {
  frameBytes: 4 * mib,
  messageBytesMax: 64 * mib,
  controlQueueBytesMax: 8 * mib,
  bulkQueueBytesMax: 64 * mib,
  writingBytesMax: mib,
  windowBytes: 16 * mib,
  reconnectMsMin: 50,
  reconnectMsMax: 500,
  refusedRetryMs: 5_000,
  helloTimeoutMs: 2_000,
  pingIntervalMs: 1_000,
  controlPingTimeoutMs: 1_000,
  bulkPingTimeoutMs: 10_000,
  readEntriesBytesMax: 4 * mib,
  readEntriesCallsMax: 4,
  readEntriesTimeoutMs: 10_000,
};
