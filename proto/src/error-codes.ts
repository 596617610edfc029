/**
 * The closed table of error codes. It is the contract of every API: docs/errors.md is
 * tested against it, both ways.
 *
 * `effect` says what a failed write may have done:
 *  - 'none': definitely nothing (the request was refused before anything was appended);
 *  - 'unknown': the write may or may not become visible. With an idempotent producer a
 *    retry of the same batch settles it.
 * `retriable` says whether the same request can succeed later without being changed.
 */
export interface ErrorFacts {
  readonly retriable: boolean;
  readonly effect: 'none' | 'unknown';
  /** What the code means, one sentence. */
  readonly meaning: string;
  /** What the reader should do next, one sentence. */
  readonly remedy: string;
}

const definite = { retriable: false, effect: 'none' } as const;
const retryDefinite = { retriable: true, effect: 'none' } as const;
const retryUnknown = { retriable: true, effect: 'unknown' } as const;

export const errorTable = {
  NOT_LEADER: {
    ...retryDefinite,
    meaning: 'This broker does not lead the partition (or the metadata).',
    remedy: 'Send the request to the leader named in the error; clients do so by themselves.',
  },
  LEADER_NOT_AVAILABLE: {
    ...retryDefinite,
    meaning: 'The partition has no leader that can reach a majority of its replicas.',
    remedy: 'Retry; if it lasts, start the missing brokers (balsa cluster status).',
  },
  LEADER_CHANGED: {
    ...retryUnknown,
    meaning: 'The leader lost its leadership while the request was under way.',
    remedy: 'Retry with the same producer id and sequence; the broker removes a duplicate.',
  },
  TIMEOUT: {
    ...retryUnknown,
    meaning: 'The request was not decided before its deadline.',
    remedy: 'Retry; if it lasts, check that a majority of the replicas is up and its disks are fast enough.',
  },
  CONNECTION_LOST: {
    ...retryUnknown,
    meaning: 'The connection broke before the answer came.',
    remedy: 'Retry; clients do so by themselves until their deadline.',
  },
  OVERLOADED: {
    ...retryDefinite,
    meaning: 'A named limit of the broker is reached, so it refused the request.',
    remedy: 'Slow down and retry after a pause; the message names the limit.',
  },
  DISK_FULL: {
    ...retryDefinite,
    meaning: 'The disk of the leader is full; reads and votes go on.',
    remedy: 'Free space, or lower retention; the broker accepts writes again by itself.',
  },
  SHUTTING_DOWN: { ...retryDefinite, meaning: 'The broker is stopping.', remedy: 'Retry against another broker.' },
  NOT_READY: {
    ...retryDefinite,
    meaning: 'The broker has not finished its start.',
    remedy: 'Retry in a moment; /readyz names what is missing.',
  },
  UNKNOWN_TOPIC: {
    ...definite,
    meaning: 'There is no topic of this name.',
    remedy: 'Check the name (balsa topic list) or create it (balsa topic create).',
  },
  UNKNOWN_PARTITION: {
    ...definite,
    meaning: 'The topic has no partition of this number.',
    remedy: 'Use a number below the partition count (balsa topic describe).',
  },
  UNKNOWN_GROUP: {
    ...definite,
    meaning: 'This broker hosts no such Raft group.',
    remedy: 'Use a group that balsa raft status lists, and ask a node that it lists for it.',
  },
  INVALID_TOPIC_NAME: {
    ...definite,
    meaning: 'The topic name is not allowed.',
    remedy: 'Use 1 to 249 letters, digits, dots, underscores or hyphens; not "." or "..".',
  },
  TOPIC_EXISTS: { ...definite, meaning: 'A topic of this name exists.', remedy: 'Choose another name or alter the existing topic.' },
  INVALID_PARTITIONS: {
    ...definite,
    meaning: 'The partition count is not allowed.',
    remedy: 'Use 1 to 10000; the count of a topic cannot shrink.',
  },
  INVALID_REPLICATION: {
    ...definite,
    meaning: 'There are too few brokers for the replication factor.',
    remedy: 'Lower the replication factor or add brokers.',
  },
  INVALID_CONFIG: {
    ...definite,
    meaning: 'A setting is unknown or has a value that is not allowed.',
    remedy: 'Correct the setting that the message names.',
  },
  INVALID_TARGET: {
    ...definite,
    meaning: 'The node named cannot take this role.',
    remedy: 'Name a registered node that is up (balsa cluster status); only a voting replica can lead (balsa raft status).',
  },
  INVALID_REQUEST: {
    ...definite,
    meaning: 'A field of the request is missing or out of range.',
    remedy: 'Correct the field that the message names.',
  },
  INVALID_BATCH: {
    ...definite,
    meaning: 'The record batch is malformed.',
    remedy: 'Send one record batch of format v2 whose lengths and counts agree.',
  },
  INVALID_RECORD: {
    ...definite,
    meaning: 'A key or value does not fit the codec or schema of the topic handle.',
    remedy: 'Correct the record, or use the codec that the topic was written with.',
  },
  CORRUPT_BATCH: {
    ...definite,
    meaning: 'The checksum of the record batch does not match its bytes.',
    remedy: 'Send it again; if it happens repeatedly, suspect memory or network of the client.',
  },
  RECORD_TOO_LARGE: {
    ...definite,
    meaning: 'A record is larger than the limit.',
    remedy: 'Send smaller records or raise record.bytes.max of the topic.',
  },
  BATCH_TOO_LARGE: { ...definite, meaning: 'The record batch is larger than the limit.', remedy: 'Send smaller batches.' },
  OUT_OF_ORDER_SEQUENCE: {
    ...definite,
    meaning: 'The batch does not follow the last one of its producer: an earlier batch is missing.',
    remedy: 'Send the missing batches first; clients do so by themselves.',
  },
  DUPLICATE_SEQUENCE: {
    ...definite,
    meaning: 'The batch was accepted long ago and its offset is no longer remembered.',
    remedy: 'Treat it as written; do not send it again.',
  },
  PRODUCER_FENCED: {
    ...definite,
    meaning: 'A newer epoch of this producer id is in use.',
    remedy: 'Stop this producer; another one took over.',
  },
  UNKNOWN_PRODUCER: {
    ...definite,
    meaning: 'The partition no longer remembers this producer, so it cannot tell a duplicate.',
    remedy: 'Start a new producer; check by reading whether the batch was written.',
  },
  OFFSET_OUT_OF_RANGE: {
    ...definite,
    meaning: 'The offset is below the log start or above the high watermark.',
    remedy: 'Read from earliest or latest; older records were removed by retention.',
  },
  UNSUPPORTED_VERSION: { ...definite, meaning: 'The peer speaks another version of the protocol.', remedy: 'Upgrade the older side.' },
  WRONG_CLUSTER: {
    ...definite,
    meaning: 'The broker belongs to another cluster, or its data folder to another node.',
    remedy: 'Check addresses and data folder; never share a data folder between nodes.',
  },
  INTERNAL: { ...retryUnknown, meaning: 'The broker failed in a way it does not know.', remedy: "Look at the broker's log and report it." },
  CLOSED: { ...definite, meaning: 'The client, producer or consumer is closed.', remedy: 'Open a new one.' },
  ABORTED: { ...retryUnknown, meaning: 'The caller aborted the operation.', remedy: 'Nothing, if that was intended.' },
  CONFIG_INVALID: {
    ...definite,
    meaning: 'The configuration of the node is not valid.',
    remedy: 'Correct the key that the message names.',
  },
  PORT_IN_USE: {
    ...definite,
    meaning: 'Another process listens on a port that the node needs.',
    remedy: 'Stop that process or choose another port.',
  },
  DATA_LOCKED: { ...definite, meaning: 'Another process uses the data folder.', remedy: 'Stop it, or choose another folder.' },
  DATA_FOREIGN: {
    ...definite,
    meaning: 'The data folder belongs to another node or cluster.',
    remedy: 'Point the node to its own folder; nothing was changed.',
  },
  DATA_CORRUPT: {
    ...definite,
    meaning: 'The journal is damaged in a way that the node must not repair alone.',
    remedy: 'Keep the folder for analysis; see docs/operations.md, "Damaged data".',
  },
  DATA_VERSION: {
    ...definite,
    meaning: 'The data folder was written by a newer version.',
    remedy: 'Start a version that is at least as new.',
  },
  STORAGE_FAILED: {
    ...definite,
    meaning: 'Writing or syncing the journal failed; the process ends to keep its promises.',
    remedy: 'Check the disk, then start the node again.',
  },
} as const satisfies Record<string, ErrorFacts>;

export type ErrorCode = keyof typeof errorTable;

/** Facts of a code; undefined for a code that this version does not know. */
export function errorFacts(code: string): ErrorFacts | undefined {
  return Object.hasOwn(errorTable, code) ? errorTable[code as ErrorCode] : undefined;
}
