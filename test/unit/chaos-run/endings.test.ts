/** Which ends of processes are findings. */
import { createEndings } from '@balsa/chaos/run/endings.ts';
import { expect, test } from 'vitest';

const ending = (code: number | null, expected = false) => ({
  code,
  signal: code === null ? ('SIGKILL' as const) : null,
  expected,
  incarnation: 1,
  pid: 4711,
});

test('an end that the harness asked for is none', () => {
  const endings = createEndings();
  expect(endings.note(1, ending(null, true))).toBe(true);
  expect(endings.findings).toEqual([]);
});

test('an end by itself is one, with the meaning of its exit code', () => {
  const endings = createEndings();
  expect(endings.note(2, ending(8))).toBe(false);
  expect(endings.findings).toEqual([
    { node: 2, what: expect.stringMatching(/^process 4711 ended by itself: exit code 8, STORAGE_FAILED: /) },
  ]);
});

test('a fault may make a node end, for as long as it lasts, and only that node', () => {
  const endings = createEndings();
  const withdraw = endings.expect(1);
  const other = endings.expect(1);
  expect([endings.note(1, ending(8)), endings.note(2, ending(8))]).toEqual([true, false]);
  withdraw();
  withdraw();
  expect(endings.note(1, ending(8))).toBe(true);
  other();
  expect(endings.note(1, ending(8))).toBe(false);
});

test('no fault excuses an impossible state', () => {
  const endings = createEndings();
  endings.expect(1);
  expect(endings.note(1, ending(70))).toBe(false);
});
