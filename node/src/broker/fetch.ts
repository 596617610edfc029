/**
 * Reads committed batches from the leader.
 *
 * A read is refused rather than stale: before anything is answered a quorum confirms that
 * this broker still leads, and everything committed until then is applied here
 * (`confirmRead`; fetches that arrive together share one round). While a fetch waits for
 * data no second confirmation is needed: what is applied later is committed, so it is
 * true whoever leads by then, and an empty answer says what was true at the first
 * confirmation, which lies within the request.
 *
 * Bound: bytes read and not yet released stay below fetchBytesInflightMax; readers queue
 * for their share, in order, until their time is over.
 */
import { assert } from '../core/assert.ts';
import type { GroupId, Offset, Term } from '../core/ids.ts';
import { asOffset } from '../core/ids.ts';
import { decodePartitionCommand } from '../core/machines/partition/command.ts';
import type { Entry } from '../core/raft/entry.ts';
import { brokerError, viaHost } from './broker-error.ts';
import type { BrokerState } from './broker-state.ts';
import { rowsFrom } from './batch-lookup.ts';
import type { BatchRow } from './batch-rows.ts';
import type { ByteBudget } from './byte-budget.ts';
import { giveBack, take } from './byte-budget.ts';
import { nextMove } from './data-wait.ts';
import type { ServedPartition } from './leadership.ts';
import { ledPartition } from './leadership.ts';

export interface FetchInput {
  readonly topic: string;
  readonly partition: number;
  /** First offset wanted (inclusive). */
  readonly offset: number;
  readonly bytesMax: number;
  readonly waitMsMax: number;
  /** Ends a wait early, when nobody listens any more. */
  readonly signal?: AbortSignal;
  /** Share of one connection: what it may have read and not sent, so that a slow reader cannot take the broker's whole budget. */
  readonly budget?: ByteBudget;
}

/** A batch as it is in the log, shared with other readers: stamp a copy before it leaves. */
export interface FetchedBatch {
  readonly bytes: Uint8Array;
  readonly baseOffset: Offset;
  /** Term of the entry, which clients see as the leader epoch. */
  readonly term: Term;
}

export interface Fetched {
  /** First offset not yet readable (exclusive). */
  readonly highWatermark: Offset;
  /** First offset still kept (inclusive). */
  readonly logStart: Offset;
  readonly batches: readonly FetchedBatch[];
  /** Must be called once the bytes have left. */
  readonly release: () => void;
}

/** Rejects with BrokerError. */
export async function fetch(broker: BrokerState, input: FetchInput): Promise<Fetched> {
  const { clock, limits } = broker;
  const waitUntilMs = clock.monotonicMs() + Math.min(input.waitMsMax, limits.fetchWaitMsMax);
  const served = ledPartition(broker, input.topic, input.partition);
  const { replica } = served;
  await viaHost(served.subject, broker.host.confirmRead(served.group, limits.requestTimeoutMs));
  checkRange(served, input.offset);
  for (let leftMs = waitUntilMs - clock.monotonicMs(); mustWait(served, input, leftMs); leftMs = waitUntilMs - clock.monotonicMs()) {
    await nextMove(replica, clock, leftMs, input.signal);
    // Also after a move of leadership: a waiting consumer shall go to the new leader at once.
    ledPartition(broker, input.topic, input.partition);
  }
  return readAvailable(broker, served, input);
}

type ReadInput = Pick<FetchInput, 'offset' | 'bytesMax' | 'budget'>;

/** What the replica has applied, from the offset on; nobody is asked whether there is more. */
export async function readAvailable(broker: BrokerState, served: ServedPartition, input: ReadInput): Promise<Fetched> {
  checkRange(served, input.offset);
  const { nextOffset, logStart } = served.replica.state;
  if (nextOffset <= input.offset) return { highWatermark: nextOffset, logStart, batches: [], release: () => {} };
  return readBatches(broker, served, input);
}

const mustWait = ({ replica }: ServedPartition, { offset, signal }: FetchInput, leftMs: number): boolean =>
  leftMs > 0 && replica.state.nextOffset <= offset && signal?.aborted !== true;

function checkRange({ replica, subject }: ServedPartition, offset: number): void {
  const { logStart, nextOffset } = replica.state;
  if (offset >= logStart && offset <= nextOffset) return;
  throw brokerError(
    'OFFSET_OUT_OF_RANGE',
    `Offset ${offset} of ${subject} is outside the kept records, ${logStart} to ${nextOffset} (exclusive).`,
  );
}

async function readBatches(broker: BrokerState, served: ServedPartition, input: ReadInput): Promise<Fetched> {
  const { replica } = served;
  const startedMs = broker.clock.monotonicMs();
  const bytesMax = Math.min(input.bytesMax, broker.limits.fetchBytesMax);
  const rows = await rowsFrom(broker.stateStore, replica, asOffset(input.offset), bytesMax);
  const bytes = rows.reduce((sum, row) => sum + row.sizeBytes, 0);
  const giveBackAll = await takeAll(broker, bytes, input.budget);
  try {
    const batches = await readRows(broker, served, rows, bytesMax);
    if (batches.length === 0) checkRange(served, input.offset);
    broker.observer.onFetched(bytes, batches.length, broker.clock.monotonicMs() - startedMs);
    const { nextOffset, logStart } = replica.state;
    return { highWatermark: nextOffset, logStart, batches, release: giveBackAll };
  } catch (error) {
    giveBackAll();
    // Retention may have removed what was just found: then the offset is out of range now.
    checkRange(served, input.offset);
    throw error;
  }
}

async function readRows(broker: BrokerState, { group, subject }: ServedPartition, rows: readonly BatchRow[], bytesMax: number) {
  const first = rows[0];
  const last = rows.at(-1);
  if (first === undefined || last === undefined || isCut(broker, group, first)) return [];
  const entries = await viaHost(subject, broker.host.read(group, first.index, last.index, Math.max(bytesMax, first.sizeBytes)));
  return matchRows(rows, entries);
}

/** The log begins after it by now: retention has removed it, even if this replica has not applied that yet. */
const isCut = ({ host }: BrokerState, group: GroupId, { index }: BatchRow): boolean => index < (host.status(group)?.first ?? 0);

/** Only entries with a row hold readable records: no-ops, memberships, duplicates and refused batches have none. */
function matchRows(rows: readonly BatchRow[], entries: readonly Entry<Uint8Array>[]): readonly FetchedBatch[] {
  const batches: FetchedBatch[] = [];
  let place = 0;
  for (const entry of entries) {
    const row = rows[place];
    if (row === undefined) break;
    if (entry.index !== row.index) continue;
    place += 1;
    const command = entry.kind === 'command' ? decodePartitionCommand(entry.payload) : undefined;
    assert(command?.kind === 'append', 'an index row points to a batch', { index: row.index, baseOffset: row.baseOffset });
    batches.push({ bytes: command.batch, baseOffset: row.baseOffset, term: entry.term });
  }
  return batches;
}

/** Takes the connection's share, then the broker's; the returned function gives both back, once. */
async function takeAll(broker: BrokerState, bytes: number, own: ByteBudget | undefined): Promise<() => void> {
  const { fetchBudget, clock, limits } = broker;
  if (own !== undefined && !(await take(own, bytes, clock, limits.requestTimeoutMs))) {
    throw brokerError('OVERLOADED', `The answers of this connection are not taken: it has ${own.used} of ${own.bytesMax} bytes waiting.`);
  }
  if (!(await take(fetchBudget, bytes, clock, limits.requestTimeoutMs))) {
    if (own !== undefined) giveBack(own, bytes);
    throw brokerError('OVERLOADED', `The limit limits.fetchBytesInflightMax (${fetchBudget.bytesMax}) of this broker is reached.`);
  }
  let taken = true;
  return () => {
    if (!taken) return;
    taken = false;
    giveBack(fetchBudget, bytes);
    if (own !== undefined) giveBack(own, bytes);
  };
}
