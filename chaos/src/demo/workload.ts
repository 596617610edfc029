/**
 * The load of the demo: keyed records with per-key sequence numbers, sent as fast as a
 * bounded window allows, and what became of each of them.
 *
 * Record n has the key number n mod `keys` and the sequence n div `keys`, so a key's
 * records are sent in the order of their sequences. The application never sends a record
 * twice; retries are the client's business.
 */
import type { Producer } from '@balsa/client';
import { AckGaps } from '../history/ack-gaps.ts';
import type { Fate, SentRecord } from '../history/per-key-check.ts';

export interface WorkloadOptions {
  readonly records: number;
  readonly keys: number;
  /** Length of a value; its first part is the sequence. */
  readonly valueBytes: number;
}

/** What is known while the work goes on and afterwards. */
export interface SendLog {
  readonly options: WorkloadOptions;
  /** By record number; 'unknown' until an answer is there. */
  readonly fates: Fate[];
  acked: number;
  failed: number;
  /** By partition. */
  readonly gaps: Map<number, AckGaps>;
  readonly startMs: number;
  endMs: number;
}

const recordsUnderWayMax = 10_000;

export function createSendLog(options: WorkloadOptions, startMs: number): SendLog {
  return { options, fates: [], acked: 0, failed: 0, gaps: new Map(), startMs, endMs: startMs };
}

/** Sends every record once; settles when each has an answer, or when the signal is aborted. */
export async function sendAll(producer: Producer<string, string>, log: SendLog, signal: AbortSignal): Promise<void> {
  const { records, keys, valueBytes } = log.options;
  let underWay = 0;
  let wake = Promise.withResolvers<void>();
  const settle = (): void => {
    underWay -= 1;
    wake.resolve();
  };
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition() && !signal.aborted) {
      wake = Promise.withResolvers();
      await wake.promise;
    }
  };
  signal.addEventListener('abort', () => wake.resolve(), { once: true });
  for (let n = 0; n < records && !signal.aborted; n += 1) {
    if (underWay >= recordsUnderWayMax) await until(() => underWay < recordsUnderWayMax);
    underWay += 1;
    const record = { key: `key-${n % keys}`, value: String(Math.floor(n / keys)).padEnd(valueBytes, '.') };
    log.fates.push('unknown');
    void sendOne(producer, log, n, record).then(settle);
  }
  await until(() => underWay === 0);
  log.endMs = performance.now();
}

async function sendOne(producer: Producer<string, string>, log: SendLog, n: number, record: { key: string; value: string }): Promise<void> {
  try {
    const { partition } = await producer.send(record);
    log.fates[n] = 'acked';
    log.acked += 1;
    gapsOf(log, partition).acknowledged(performance.now());
  } catch (cause) {
    log.fates[n] = (cause as { effect?: string }).effect === 'none' ? 'refused' : 'unknown';
    log.failed += 1;
  }
}

function gapsOf(log: SendLog, partition: number): AckGaps {
  let gaps = log.gaps.get(partition);
  if (gaps === undefined) {
    gaps = new AckGaps(log.startMs);
    log.gaps.set(partition, gaps);
  }
  return gaps;
}

/** The history of what was sent, for the check. */
export function* sentRecords({ options, fates }: SendLog): Generator<SentRecord> {
  for (const [n, fate] of fates.entries()) {
    yield { key: `key-${n % options.keys}`, sequence: Math.floor(n / options.keys), fate };
  }
}

/** The sequence in a value written by `sendAll`; NaN if it is none. */
export function sequenceOf(value: string): number {
  return Number.parseInt(value, 10);
}
