/** Durations as callers write them: a number of milliseconds or text such as '250ms', '5s', '2m', '1h', '7d'. */
import { BalsaError } from './errors.ts';

export type Duration = number | string;

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const pattern = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/** Milliseconds of a duration; INVALID_REQUEST names the option if it makes no sense. */
export function durationMs(value: Duration, option: string): number {
  const ms = typeof value === 'number' ? value : parse(value);
  if (Number.isFinite(ms) && ms >= 0) return ms;
  const detail = `${option} is ${JSON.stringify(value)}; use milliseconds or text such as '5s' or '250ms'.`;
  throw new BalsaError('INVALID_REQUEST', { detail });
}

function parse(text: string): number {
  const match = pattern.exec(text.trim());
  const scale = unitMs[match?.[2] ?? ''];
  return match === null || scale === undefined ? Number.NaN : Number(match[1]) * scale;
}
