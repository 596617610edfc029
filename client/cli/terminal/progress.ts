/**
 * A progress line on stderr, redrawn in place, only on a terminal: logs and pipes stay
 * clean. It draws at most ten times a second, whatever the rate of updates.
 */
import { formatBytes, formatCount, formatDuration } from '../format/quantity.ts';
import { painterFor } from './io.ts';
import type { Io } from './io.ts';

const redrawMsMin = 100;
const barWidth = 24;
const clearLine = '\r\u001b[K';

export interface Progress {
  /** `done` of `total` units; `total` undefined means that the end is not known. */
  readonly update: (done: number, total: number | undefined) => void;
  /** Removes the line. */
  readonly finish: () => void;
}

/** What is counted, and how an amount of it is written. */
export type ProgressUnit = 'records' | 'entries' | 'bytes';
const amounts: Readonly<Record<ProgressUnit, (value: number) => string>> = {
  records: (value) => `${formatCount(value)} records`,
  entries: (value) => `${formatCount(value)} entries`,
  bytes: (value) => formatBytes(Math.round(value)),
};

/** `[#######.....]  58%  116,000 of 200,000 records  41,250 records/s  2.8 s` */
export function progressLine(done: number, total: number | undefined, elapsedMs: number, unit: ProgressUnit): string {
  const amount = amounts[unit];
  const rate = elapsedMs > 0 ? `  ${amount((done / elapsedMs) * 1000)}/s` : '';
  const tail = `${rate}  ${formatDuration(elapsedMs)}`;
  if (total === undefined) return `${amount(done)}${tail}`;
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const filled = Math.round(share * barWidth);
  const bar = `[${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}]`;
  const bare = unit === 'bytes' ? amount(done) : formatCount(done);
  return `${bar} ${String(Math.floor(share * 100)).padStart(3)}%  ${bare} of ${amount(total)}${tail}`;
}

export function startProgress(io: Io, unit: ProgressUnit): Progress {
  if (io.stderr.isTTY !== true) return { update: () => undefined, finish: () => undefined };
  const paint = painterFor(io.stderr, io.env);
  const startMs = io.nowMs();
  let drawnMs = Number.NEGATIVE_INFINITY;
  return {
    update(done, total) {
      const nowMs = io.nowMs();
      if (nowMs - drawnMs < redrawMsMin) return;
      drawnMs = nowMs;
      const line = progressLine(done, total, nowMs - startMs, unit).slice(0, (io.stderr.columns ?? 80) - 1);
      io.stderr.write(`${clearLine}${paint('cyan', line)}`);
    },
    finish() {
      if (drawnMs !== Number.NEGATIVE_INFINITY) io.stderr.write(clearLine);
    },
  };
}
