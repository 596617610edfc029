import { describe, expect, test } from 'vitest';
import { BalsaError } from '@balsa/client';
import type { Producer, SendResult } from '@balsa/client';
import { AckGaps } from '../../../chaos/src/history/ack-gaps.ts';
import { isSuccess, summaryRows, summarySentence } from '../../../chaos/src/demo/summary.ts';
import type { DemoResult } from '../../../chaos/src/demo/summary.ts';
import { createSendLog, sendAll, sentRecords, sequenceOf } from '../../../chaos/src/demo/workload.ts';
import { checkPerKey, isClean } from '../../../chaos/src/history/per-key-check.ts';
import type { ReadRecord } from '../../../chaos/src/history/per-key-check.ts';

/** A producer of one partition that writes into `log` and answers as `fate` says. */
function memoryProducer(
  log: ReadRecord[],
  fate: (n: number) => 'ack' | 'lost' | 'refused' | 'written, no answer',
): Producer<string, string> {
  let n = 0;
  const send = async ({ key, value }: { key?: string | null | undefined; value: string | null }): Promise<SendResult> => {
    const outcome = fate(n);
    n += 1;
    await Promise.resolve();
    if (outcome === 'ack' || outcome === 'written, no answer')
      log.push({ partition: 0, key: key ?? '', sequence: sequenceOf(value ?? '') });
    if (outcome === 'refused') throw new BalsaError('RECORD_TOO_LARGE');
    if (outcome === 'written, no answer') throw new BalsaError('TIMEOUT');
    return { partition: 0, offset: 0n, receipt: undefined };
  };
  return { send } as unknown as Producer<string, string>;
}

const workload = { records: 25_000, keys: 10, valueBytes: 20 };
const forever = new AbortController().signal;

describe('workload of the demo', () => {
  test('sends every record of every key once and in order, and its log judges a good history clean', async () => {
    const read: ReadRecord[] = [];
    const log = createSendLog(workload, 0);
    await sendAll(
      memoryProducer(read, () => 'ack'),
      log,
      forever,
    );
    expect([log.acked, log.failed]).toEqual([25_000, 0]);
    const verdict = checkPerKey(sentRecords(log), read);
    expect(verdict).toMatchObject({ sent: 25_000, acked: 25_000, read: 25_000 });
    expect(isClean(verdict)).toBe(true);
  });

  test('a broker that acknowledges without writing is found', async () => {
    const read: ReadRecord[] = [];
    const log = createSendLog(workload, 0);
    await sendAll(
      memoryProducer(read, (n) => (n === 12_345 ? 'lost' : 'ack')),
      log,
      forever,
    );
    expect(checkPerKey(sentRecords(log), read)).toMatchObject({ lost: 1, findings: [{ kind: 'lost', key: 'key-5', sequence: 1234 }] });
  });

  test('a refusal must not be in the log, an unknown outcome may', async () => {
    const read: ReadRecord[] = [];
    const log = createSendLog(workload, 0);
    await sendAll(
      memoryProducer(read, (n) => (n === 7 ? 'refused' : n === 8 ? 'written, no answer' : 'ack')),
      log,
      forever,
    );
    const verdict = checkPerKey(sentRecords(log), read);
    expect(verdict).toMatchObject({ acked: 24_998, unknown: 1 });
    expect(isClean(verdict)).toBe(true);
    read.push({ partition: 0, key: 'key-7', sequence: 0 });
    expect(checkPerKey(sentRecords(log), read)).toMatchObject({ phantom: 1 });
  });

  test('ends when it is interrupted, although nothing answers', async () => {
    const controller = new AbortController();
    const silent = { send: () => new Promise(() => undefined) } as unknown as Producer<string, string>;
    const sending = sendAll(silent, createSendLog(workload, 0), controller.signal);
    controller.abort();
    await sending;
  });
});

test('the longest gap counts from the start and between acknowledgements', () => {
  const gaps = new AckGaps(100);
  for (const nowMs of [150, 160, 400, 410]) gaps.acknowledged(nowMs);
  expect(gaps.longestMs).toBe(240);
  const late = new AckGaps(0);
  late.acknowledged(500);
  expect(late.longestMs).toBe(500);
});

describe('summary of the demo', () => {
  const clean = checkPerKey([{ key: 'a', sequence: 0, fate: 'acked' }], [{ partition: 0, key: 'a', sequence: 0 }]);
  const result = (verdict: DemoResult['verdict']): DemoResult => ({ verdict, longestGapMs: 812.4, sendMs: 500, readMs: 0, bytes: 100 });

  test('is a success only if every promise was kept and something was promised', () => {
    expect(isSuccess(result(clean))).toBe(true);
    expect(isSuccess(result(checkPerKey([], [])))).toBe(false);
    expect(summarySentence(result(checkPerKey([], [])))).toMatch(/^FAILED: nothing was acknowledged/);
  });

  test.each(['lost', 'duplicated', 'reordered', 'phantom'] as const)('%s is a failure that is named and marked', (kind) => {
    const bad = result({ ...clean, [kind]: 2 });
    expect(isSuccess(bad)).toBe(false);
    expect(summarySentence(bad)).toBe(`FAILED: 2 ${kind}`);
    expect(
      summaryRows(bad)
        .filter(([, , ok]) => ok === false)
        .map(([, value]) => value),
    ).toEqual(['2']);
  });

  test('has figures without divisions by zero', () => {
    const rows = new Map(summaryRows(result(clean)).map(([name, value]) => [name, value]));
    expect(rows.get('longest gap in acks')).toBe('812 ms');
    expect(rows.get('produced')).toMatch(/^2 records\/s/);
    expect(rows.get('consumed')).toBe('- records/s');
  });
});
