/** Failpoints: each action at each kind of point, the hit at which it begins, and how often. */
import { faultCommand } from '@balsa/node/faults/command.ts';
import { failpointNames } from '@balsa/node/faults/failpoint-names.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFaultyDisk, type FaultyDisk, isPending } from './faulty-disk.ts';

let it: FaultyDisk;
beforeEach(() => {
  it = createFaultyDisk();
});
afterEach(() => it.clean());

const arm = (point: string, action: string, more = {}) => it.arm({ fault: 'failpoint', point, action, ...more });
const wait = (): Promise<void> => it.points.wait('journal.before-write', (message) => new Error(message));

describe('at a point that can wait', () => {
  test('nothing happens unless something is armed there; passing is counted', async () => {
    arm('journal.before-sync', 'error');
    await wait();
    await wait();
    expect(it.points.passed()).toEqual({ 'journal.before-write': 2 });
  });

  test('error rejects with the error of the place', async () => {
    arm('journal.before-write', 'error');
    await expect(wait()).rejects.toThrow('failpoint journal.before-write');
    await wait();
  });

  test('sleep waits on the clock, not on the loop', async () => {
    arm('journal.before-write', 'sleep', { ms: 300 });
    const work = wait();
    it.clock.advance(299);
    expect(await isPending(work)).toBe(true);
    it.clock.advance(1);
    await work;
  });

  test('block holds the event loop', async () => {
    arm('journal.before-write', 'block', { ms: 50 });
    const startedMs = performance.now();
    const work = wait();
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(49);
    await work;
  });

  test('panic and power-loss end the process, and nothing behind the point happens', async () => {
    arm('journal.before-write', 'panic');
    expect(await isPending(wait())).toBe(true);
    arm('journal.before-write', 'power-loss', { torn: 'sectors', state: 'keep' });
    expect(await isPending(wait())).toBe(true);
    expect(it.ends).toMatchObject(['kill', { torn: 'sectors', state: 'keep' }]);
  });
});

describe('at a synchronous point', () => {
  test('error drops the frame; sleep and block hold the loop and let it go on', () => {
    arm('raft.before-send', 'error');
    expect(it.points.admit('raft.before-send')).toBe(false);
    expect(it.points.admit('raft.before-send')).toBe(true);
    for (const action of ['sleep', 'block']) {
      arm('raft.before-send', action, { ms: 30 });
      const startedMs = performance.now();
      expect(it.points.admit('raft.before-send')).toBe(true);
      expect(performance.now() - startedMs).toBeGreaterThanOrEqual(29);
    }
  });

  test('panic and power-loss end the process, and the frame stays here', () => {
    arm('raft.before-send', 'panic');
    expect(it.points.admit('raft.before-send')).toBe(false);
    arm('machine.after-apply', 'power-loss');
    it.points.pass('machine.after-apply');
    expect(it.ends).toMatchObject(['kill', { torn: false, state: 'unsynced' }]);
  });
});

test('the action begins with its hit and is done so many times', async () => {
  const fault = arm('journal.before-write', 'error', { hit: 3, times: 2 });
  const outcomes: string[] = [];
  for (let i = 0; i < 6; i++) {
    outcomes.push(
      await wait().then(
        () => 'passed',
        () => 'failed',
      ),
    );
  }
  expect(outcomes).toEqual(['passed', 'passed', 'failed', 'failed', 'passed', 'passed']);
  expect(fault).toMatchObject({ hits: 4, struck: 2 });
  expect(it.board.active.size).toBe(0);
});

test('a failpoint heals by itself', async () => {
  arm('journal.before-write', 'error', { ttlMs: 100 });
  it.clock.advance(100);
  await wait();
});

test('every point takes every action, but an error only where something can fail', () => {
  const accepts = (point: string, action: string): boolean => faultCommand.safeParse({ fault: 'failpoint', point, action }).success;
  for (const point of failpointNames) {
    for (const action of ['panic', 'power-loss', 'sleep', 'block']) expect(accepts(point, action), point).toBe(true);
  }
  expect(failpointNames.filter((point) => !accepts(point, 'error'))).toEqual([
    'raft.after-send',
    'membership.before-write',
    'membership.after-commit',
    'machine.before-apply',
    'machine.after-apply',
    'machine.before-restore',
    'machine.after-restore',
  ]);
  expect(accepts('journal.before-lunch', 'panic')).toBe(false);
});
