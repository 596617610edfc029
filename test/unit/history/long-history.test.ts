/** A longer history than one writes by hand; that the check stays linear shows in its time (a million operations take seconds). */
import { expect, test } from 'vitest';
import { checkHistory } from '@balsa/chaos/history/check-history.ts';
import { bigHistory } from './big-history.ts';

test('twenty thousand operations in four logs', () => {
  const operations = 20_000;
  const verdict = checkHistory(bigHistory(operations));
  expect(verdict.findings).toEqual([]);
  const { send, poll } = verdict.figures.operations;
  expect(send.ok + poll.ok).toBeGreaterThan(operations * 0.9);
  expect(verdict.figures.livingLogs).toBe(4);
});
