/** One partition of the fake broker: its log and what it remembers of idempotent producers. */
import type { ErrorCode } from '@balsa/proto/errors';

export interface StoredBatch {
  readonly baseOffset: number;
  readonly recordCount: number;
  readonly bytes: Buffer;
}

interface KnownProducer {
  readonly epoch: number;
  readonly nextSequence: number;
  readonly window: readonly { readonly first: number; readonly count: number; readonly baseOffset: number }[];
}

export interface FakePartition {
  /** Voters; undefined: never told. */
  replicas?: readonly number[];
  /** Where they shall be, while that is held back. */
  wanted?: readonly number[];
  /** Entries at the end of the log that are not committed, as the status of its group has it. */
  uncommitted?: number;
  readonly groupId: number;
  leader: number;
  term: number;
  index: number;
  logStart: number;
  log: StoredBatch[];
  producers: Map<string, KnownProducer>;
}

export type AppendOutcome =
  | { readonly kind: 'appended' | 'duplicate'; readonly baseOffset: number }
  | { readonly kind: 'refused'; readonly code: ErrorCode };

const windowBatches = 5;

export function createFakePartition(groupId: number, leader: number): FakePartition {
  return { groupId, leader, term: 1, index: 1, logStart: 0, log: [], producers: new Map() };
}

/** First offset that is not readable yet. */
export function endOffset(partition: FakePartition): number {
  const last = partition.log.at(-1);
  return last === undefined ? partition.logStart : last.baseOffset + last.recordCount;
}

export function append(partition: FakePartition, bytes: Buffer): AppendOutcome {
  const facts = readFacts(bytes);
  const baseOffset = endOffset(partition);
  const known = partition.producers.get(facts.producerId);
  const verdict = facts.producerId === '-1' ? undefined : judge(known, facts);
  if (verdict !== undefined) return verdict;
  const stored = Buffer.from(bytes);
  stored.writeBigInt64BE(BigInt(baseOffset), 0);
  partition.log.push({ baseOffset, recordCount: facts.count, bytes: stored });
  partition.index++;
  if (facts.producerId !== '-1') remember(partition, known, facts, baseOffset);
  return { kind: 'appended', baseOffset };
}

/** Loses the newest batches, as a leader change may do to what was not committed. */
export function truncate(partition: FakePartition, batches: number): void {
  const kept = partition.log.slice(0, partition.log.length - batches);
  partition.log = [];
  partition.producers = new Map();
  for (const batch of kept) append(partition, batch.bytes);
}

interface Facts {
  readonly producerId: string;
  readonly epoch: number;
  readonly first: number;
  readonly count: number;
}

function readFacts(bytes: Buffer): Facts {
  return {
    producerId: String(bytes.readBigInt64BE(43)),
    epoch: bytes.readInt16BE(51),
    first: bytes.readInt32BE(53),
    count: bytes.readInt32BE(57),
  };
}

function judge(known: KnownProducer | undefined, facts: Facts): AppendOutcome | undefined {
  if (known === undefined) return facts.first === 0 ? undefined : { kind: 'refused', code: 'UNKNOWN_PRODUCER' };
  if (facts.epoch < known.epoch) return { kind: 'refused', code: 'PRODUCER_FENCED' };
  if (facts.epoch > known.epoch) return facts.first === 0 ? undefined : { kind: 'refused', code: 'OUT_OF_ORDER_SEQUENCE' };
  if (facts.first === known.nextSequence) return undefined;
  const original = known.window.find(({ first, count }) => first === facts.first && count === facts.count);
  if (original !== undefined) return { kind: 'duplicate', baseOffset: original.baseOffset };
  const oldest = known.window[0]?.first ?? 0;
  return { kind: 'refused', code: facts.first + facts.count <= oldest ? 'DUPLICATE_SEQUENCE' : 'OUT_OF_ORDER_SEQUENCE' };
}

function remember(partition: FakePartition, known: KnownProducer | undefined, facts: Facts, baseOffset: number): void {
  const earlier = known?.epoch === facts.epoch ? known.window : [];
  const window = [...earlier, { first: facts.first, count: facts.count, baseOffset }].slice(-windowBatches);
  partition.producers.set(facts.producerId, { epoch: facts.epoch, nextSequence: facts.first + facts.count, window });
}
