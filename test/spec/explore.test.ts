/**
 * Exhaustive exploration of the core in small worlds. EXPLORE=deep takes wider bounds
 * (hours, gigabytes): slow disks everywhere, more entries and messages, a crash, a heartbeat.
 */
import { expect, test } from 'vitest';
import { type Bounds, explore } from './explore.ts';

const small: Bounds = {
  terms: 2,
  elections: 2,
  proposeBelow: 1,
  crashes: 0,
  messages: 2,
  writes: 2,
  promptDisks: true,
  heartbeats: 0,
  states: 5_000_000,
};

const searches: readonly (readonly [string, Bounds])[] =
  process.env['EXPLORE'] === 'deep'
    ? [
        ['slow disks and a crash', { ...small, crashes: 1, promptDisks: false }],
        ['three elections', { ...small, elections: 3 }],
        ['more messages and a heartbeat', { ...small, proposeBelow: 2, messages: 3, heartbeats: 1 }],
        ['commands and a crash', { ...small, proposeBelow: 2, crashes: 1 }],
      ]
    : [
        ['up to three entries', { ...small, proposeBelow: 2 }],
        ['a crash', { ...small, crashes: 1 }],
      ];

test.each(searches)('no invariant breaks in any world: %s', { timeout: 6 * 60 * 60 * 1000 }, (name, bounds) => {
  const startedMs = performance.now();
  const { states, transitions, depth, isComplete, failure } = explore(bounds);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.info(`${name}: explored ${states} states, ${transitions} transitions, up to ${depth} events deep, in ${seconds} s`);
  expect(failure && { ...failure, error: String(failure.error) }).toBeUndefined();
  expect(isComplete).toBe(true);
  expect(states).toBeGreaterThan(50_000);
});
