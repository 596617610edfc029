/** What the demo says at its end. */
import { isClean } from '../history/per-key-check.ts';
import type { Verdict } from '../history/per-key-check.ts';
import type { SummaryRow } from '../terminal/screen.ts';

export interface DemoResult {
  readonly verdict: Verdict;
  /** Of all partitions. */
  readonly longestGapMs: number;
  readonly sendMs: number;
  readonly readMs: number;
  /** Bytes of keys and values. */
  readonly bytes: number;
}

const count = (value: number): string => value.toLocaleString('en-US');
const rate = (amount: number, durationMs: number): string => (durationMs > 0 ? count(Math.round((amount / durationMs) * 1000)) : '-');

export function summaryRows({ verdict, longestGapMs, sendMs, readMs, bytes }: DemoResult): readonly SummaryRow[] {
  const none = (value: number): readonly [string, boolean] => [count(value), value === 0];
  return [
    ['records sent', count(verdict.sent), undefined],
    ['acknowledged', count(verdict.acked), undefined],
    ['without a clear answer', count(verdict.unknown), undefined],
    ['read back', count(verdict.read), undefined],
    ['lost', ...none(verdict.lost)],
    ['duplicated', ...none(verdict.duplicated)],
    ['reordered', ...none(verdict.reordered)],
    ['never sent, yet there', ...none(verdict.phantom)],
    ['longest gap in acks', `${count(Math.round(longestGapMs))} ms`, undefined],
    [
      'produced',
      `${rate(verdict.acked, sendMs)} records/s (${((bytes / 1e6 / sendMs) * 1000).toFixed(1)} MB/s), failure included`,
      undefined,
    ],
    ['consumed', `${rate(verdict.read, readMs)} records/s`, undefined],
  ];
}

/** One sentence: whether every promise was kept, and which were not. */
export function summarySentence({ verdict }: DemoResult): string {
  if (!isClean(verdict)) {
    const broken = (['lost', 'duplicated', 'reordered', 'phantom'] as const).filter((kind) => verdict[kind] > 0);
    return `FAILED: ${broken.map((kind) => `${count(verdict[kind])} ${kind}`).join(', ')}`;
  }
  if (verdict.acked === 0) return 'FAILED: nothing was acknowledged, so nothing was proved';
  return `every acknowledged record is there once and in order, although a leader was killed with kill -9`;
}

export function isSuccess({ verdict }: DemoResult): boolean {
  return isClean(verdict) && verdict.acked > 0;
}
