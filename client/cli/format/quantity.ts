/**
 * Quantities as people write and read them: `10MB`, `7d`, `1,234`, `12.3 ms`.
 * Parsing is strict and throws a usage error that names the option; formatting never throws.
 */
import { usageError } from '../cli-error.ts';

const byteUnits: readonly (readonly [string, number])[] = [
  ['GB', 1e9],
  ['MB', 1e6],
  ['kB', 1e3],
];

/** Decimal units, one digit after the point: `1.5 MB`. */
export function formatBytes(bytes: number): string {
  for (const [unit, factor] of byteUnits) if (bytes >= factor) return `${(bytes / factor).toFixed(1)} ${unit}`;
  return `${bytes} B`;
}

/** Groups of three digits: `1,234,567`. */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** A duration in the unit that leaves few digits: `0.8 ms`, `12 ms`, `3.2 s`, `4m 05s`, `2h 10m`, `3d 4h`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 10) return `${durationMs.toFixed(1)} ms`;
  if (durationMs < 1000) return `${Math.round(durationMs)} ms`;
  if (durationMs < 60_000) return `${(durationMs / 1000).toFixed(1)} s`;
  const seconds = Math.round(durationMs / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m`;
  const hours = Math.floor(minutes / 60);
  return `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

const durationUnitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of `250ms`, `5s`, `10m`, `2h` or `7d`; a bare number means seconds. Undefined if it is none of these. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text);
  if (match === null) return undefined;
  return Number(match[1]) * (durationUnitsMs[match[2] ?? 's'] ?? 1000);
}

/** For commander: a duration option in milliseconds. */
export function durationOption(name: string): (text: string) => number {
  return (text) => {
    const durationMs = parseDurationMs(text);
    if (durationMs === undefined)
      throw usageError(`${name} is "${text}", which is no duration`, 'write for example 250ms, 5s, 10m, 2h or 7d');
    return durationMs;
  };
}

/** For commander: a whole number between two bounds (inclusive). Underscores may group digits. */
export function integerOption(name: string, min: number, max: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = /^\d[\d_]*$/.test(text) ? Number(text.replaceAll('_', '')) : Number.NaN;
    if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
    const range = max === Number.MAX_SAFE_INTEGER ? `${min} or more` : `${min} to ${max}`;
    throw usageError(`${name} is "${text}"`, `give a whole number, ${range}`);
  };
}
