import { describe, expect, test } from 'vitest';
import {
  durationOption,
  formatBytes,
  formatCount,
  formatDuration,
  integerOption,
  parseDurationMs,
} from '../../../client/cli/format/quantity.ts';
import { parseStartPosition } from '../../../client/cli/format/start-position.ts';

const usage = expect.objectContaining({ exitCode: 2 });

describe('quantities', () => {
  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1500, '1.5 kB'],
    [2_000_000, '2.0 MB'],
    [3_210_000_000, '3.2 GB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  test.each([
    [0.84, '0.8 ms'],
    [12.4, '12 ms'],
    [3200, '3.2 s'],
    [245_000, '4m 05s'],
    [7_800_000, '2h 10m'],
    [273_600_000, '3d 4h'],
  ])('%d ms are %s', (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text);
  });

  test('counts have groups of three digits', () => {
    expect(formatCount(1234567.4)).toBe('1,234,567');
  });

  test.each([
    ['250ms', 250],
    ['5', 5000],
    ['1.5s', 1500],
    ['10m', 600_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
  ])('the duration %s is %d ms', (text, durationMs) => {
    expect(parseDurationMs(text)).toBe(durationMs);
  });

  test.each(['', 's', '5 s', '-5s', '5w', '1e3'])('%j is no duration', (text) => {
    expect(parseDurationMs(text)).toBeUndefined();
    expect(() => durationOption('--timeout')(text)).toThrow(usage);
  });

  test('whole numbers have bounds and may have underscores', () => {
    const parse = integerOption('--partitions', 1, 10_000);
    expect(parse('10_000')).toBe(10_000);
    for (const text of ['0', '10001', '-1', '1.5', '', 'x', '0x10', '1e3']) expect(() => parse(text), text).toThrow(usage);
  });
});

describe('--from', () => {
  const nowMs = Date.UTC(2026, 4, 1, 12);
  test.each([
    ['earliest', { kind: 'earliest' }],
    ['latest', { kind: 'latest' }],
    ['0', { kind: 'offset', offset: 0 }],
    ['42', { kind: 'offset', offset: 42 }],
    ['-15m', { kind: 'time', timeMs: nowMs - 900_000 }],
    ['2026-05-01', { kind: 'time', timeMs: Date.UTC(2026, 4, 1) }],
    ['2026-05-01T10:00:00.5Z', { kind: 'time', timeMs: Date.UTC(2026, 4, 1, 10, 0, 0, 500) }],
  ])('%s', (text, position) => {
    expect(parseStartPosition(text, nowMs)).toEqual(position);
  });

  test.each(['', 'newest', '-', '-1x', '1 May 2026', '2026-13-01', '99999999999999999999', '1.5'])('%j is refused', (text) => {
    expect(() => parseStartPosition(text, nowMs)).toThrow(usage);
  });
});
