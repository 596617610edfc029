/** Histories that look suspicious and are right: near misses of every anomaly. */
import { describe, expect, test } from 'vitest';
import type { Case } from './script.ts';
import { expectPass, judge } from './script.ts';

const retention = { retention: true };

const cases: readonly Case[] = [
  { name: 'nothing at all', write: () => {} },
  {
    name: 'concurrent sends in the other order',
    write: (h) => {
      const a = h.send([1], { session: 'a' });
      const b = h.send([2], { session: 'b' });
      h.ack(a, [1]);
      h.ack(b, [0]);
      h.drained([2, 1]);
      h.replica(1, [2, 1]);
    },
  },
  {
    name: 'sends of unknown outcome, one present and one absent',
    write: (h) => {
      h.info(h.send([1], { session: 'a' }));
      h.info(h.send([2], { session: 'b' }));
      h.sent([3], 1, { session: 'c' });
      h.drained([2, 3]);
    },
  },
  {
    name: 'a send of unknown outcome takes effect behind a later one',
    write: (h) => {
      h.info(h.send([1], { session: 'a' }));
      h.sent([2], 0, { session: 'b' });
      h.drained([2, 1]);
    },
  },
  {
    name: 'weak acks are lost when the leader changes',
    write: (h) => {
      h.ack(h.send([1], { session: 'a', acks: 'leader' }));
      h.ack(h.send([2], { session: 'b', acks: 'none' }));
      h.sent([3], 0, { session: 'c' });
      h.drained([3]);
    },
  },
  {
    name: 'weak acks promise no real-time order to those behind them',
    write: (h) => {
      h.ack(h.send([1], { session: 'a', acks: 'leader' }));
      h.sent([2], 0, { session: 'b' });
      h.drained([2, 1]);
    },
  },
  {
    name: 'as many copies as attempts without idempotence',
    write: (h) => {
      h.ack(h.send([1], { idempotent: false }), [1], { attempts: 2 });
      h.drained([1, 1]);
    },
  },
  {
    name: 'sessions without idempotence overtake themselves',
    write: (h) => {
      const a = h.send([1], { idempotent: false });
      const b = h.send([2], { idempotent: false });
      h.ack(a, [1]);
      h.ack(b, [0]);
      h.drained([2, 1]);
    },
  },
  {
    name: 'a whole batch of unknown outcome, and an absent one',
    write: (h) => {
      h.info(h.send([1, 2], { session: 'a' }), { batches: [2] });
      h.info(h.send([3, 4], { session: 'b' }), { batches: [2] });
      h.sent([5], 2, { session: 'c' });
      h.drained([1, 2, 5]);
    },
  },
  {
    name: 'two batches of one send with others in between, the second absent',
    write: (h) => {
      const a = h.send([1, 2, 3, 4], { session: 'a' });
      h.sent([9], 2, { session: 'b' });
      h.info(a, { batches: [2, 2] });
      h.drained([1, 2, 9]);
    },
  },
  {
    name: 'a batch that a reader saw in part',
    write: (h) => {
      h.info(h.send([1, 2]), { batches: [2] });
      h.polled('x', [[0, 1]]);
      h.drained([1, 2]);
    },
  },
  {
    name: 'a batch of unknown outcome that comes after the final drain',
    write: (h) => {
      h.sent([9], 0, { session: 'b' });
      const a = h.send([1, 2], { session: 'a' });
      h.drained([9]);
      h.polled('x', [[1, 1]]);
      h.info(a, { batches: [2] });
    },
  },
  {
    name: 'a value is read before it is acknowledged',
    write: (h) => {
      const a = h.send([1]);
      h.polled('x', [[0, 1]]);
      h.ack(a, [0]);
      h.drained([1]);
    },
  },
  {
    name: 'ends told by operations that overlap',
    write: (h) => {
      const early = h.poll('x');
      h.sent([1], 0);
      h.bound('end-offset', 1);
      h.answer(early, [], { highWatermark: 0 });
      h.drained([1]);
    },
  },
  {
    name: 'a replica lags in the middle of the run',
    write: (h) => {
      h.sent([1, 2], 0);
      h.bound('end-offset', 0, { source: 'replica', node: 2 });
      h.polled('r', [[0, 1]], { source: 'replica', node: 2, highWatermark: 1 });
      h.drained([1, 2]);
      h.replica(2, [1, 2]);
    },
  },
  {
    name: 'seeking back and forth',
    write: (h) => {
      h.sent([1, 2, 3], 0);
      h.assigned('x', 2);
      h.polled('x', [[2, 3]]);
      h.assigned('x', 0);
      h.polled('x', [
        [0, 1],
        [1, 2],
      ]);
      h.drained([1, 2, 3]);
    },
  },
  {
    name: 'retention removes what was acknowledged, read or not',
    options: retention,
    write: (h) => {
      h.sent([1, 2, 3], 0);
      h.sent([4], 3, { session: 'b' });
      h.polled('x', [[0, 1]]);
      h.bound('start-offset', 2);
      h.drained([3, 4], { from: 2, logStart: 2 });
    },
  },
  {
    name: 'a reader is moved to the log start of its answer',
    options: retention,
    write: (h) => {
      h.sent([1, 2, 3, 4], 0);
      h.polled('x', [[0, 1]]);
      h.polled('x', [[3, 4]], { logStart: 3 });
      h.drained([4], { from: 3, logStart: 3 });
    },
  },
  {
    name: 'retention overtakes a drain',
    options: retention,
    write: (h) => {
      h.sent([1, 2, 3], 0);
      h.assigned('d', 0);
      h.polled('d', [[0, 1]], { source: 'drain', logStart: 0, highWatermark: 3 });
      h.polled('d', [[2, 3]], { source: 'drain', logStart: 2, highWatermark: 3 });
    },
  },
  {
    name: 'a reader is moved, and only others were told the log start',
    options: retention,
    write: (h) => {
      h.sent([1, 2, 3], 0);
      h.polled('x', [[0, 1]]);
      h.polled('x', [[2, 3]]);
      h.bound('start-offset', 2);
      h.drained([3], { from: 2, logStart: 2 });
    },
  },
  {
    name: 'the whole log is removed',
    options: retention,
    write: (h) => {
      h.sent([1, 2], 0);
      h.bound('start-offset', 2);
      h.drained([], { from: 2, logStart: 2, highWatermark: 2 });
    },
  },
  {
    name: 'a read below a log start that was not yet known when it began',
    options: retention,
    write: (h) => {
      h.sent([1, 2], 0);
      const early = h.poll('x');
      h.bound('start-offset', 1);
      h.answer(early, [[0, 1]], { logStart: 0 });
      h.drained([2], { from: 1, logStart: 1 });
    },
  },
  {
    name: 'a reader hands out what it had read ahead before the log start moved',
    options: retention,
    write: (h) => {
      h.sent([1, 2], 0);
      h.assigned('x', 0);
      h.bound('start-offset', 1);
      h.polled('x', [[0, 1]]);
      h.drained([2], { from: 1, logStart: 1 });
    },
  },
  {
    name: 'an answer in time',
    options: { operationNsMax: 1000 },
    write: (h) => {
      h.fail(h.send([1]));
    },
  },
  {
    name: 'pipelined sends of one process, one of unknown outcome',
    write: (h) => {
      const a = h.send([1]);
      const b = h.send([2]);
      const c = h.send([3]);
      h.info(a);
      h.ack(b, [0]);
      h.fail(c);
      h.drained([2]);
    },
  },
  {
    name: 'an acknowledged duplicate whose offset was forgotten',
    write: (h) => {
      h.ack(h.send([1]), [null]);
      h.drained([1]);
    },
  },
  {
    name: 'several drains, the first of them incomplete',
    write: (h) => {
      h.sent([1, 2], 0);
      h.drained([1], { highWatermark: 2 });
      h.drained([1, 2]);
    },
  },
];

describe('right histories pass', () => {
  test.each(cases)('$name', expectPass);
});

test('values that retention may have removed unread are counted', () => {
  const verdict = judge({
    name: '',
    options: retention,
    write: (h) => {
      h.ack(h.send([1]));
      h.sent([2], 1, { session: 'b' });
      h.drained([2], { from: 1, logStart: 1 });
    },
  });
  expect(verdict.outcome).toBe('pass');
  expect(verdict.figures.unjudged).toBe(1);
});

test('figures tell deliveries and ages, and fail nothing', () => {
  const verdict = judge({
    name: '',
    write: (h) => {
      h.sent([1, 2], 0);
      h.bound('end-offset', 2);
      h.wait(5000);
      h.polled('x', [[0, 1]]);
      h.assigned('x', 0);
      h.polled('x', [[0, 1]]);
      h.info(h.send([3], { session: 'b' }));
      h.drained([1, 2]);
      h.replica(1, [1, 2]);
    },
  });
  expect(verdict.outcome).toBe('pass');
  expect(verdict.figures).toMatchObject({
    logs: 1,
    livingLogs: 1,
    drainedLogs: 1,
    replicasReadMin: 1,
    values: 3,
    recordsRead: 6,
    redeliveries: 1,
    infoErrors: { TIMEOUT: 1 },
  });
  expect(verdict.figures.operations.send).toEqual({ ok: 1, fail: 0, info: 1 });
  expect(verdict.figures.staleNsMax).toBeGreaterThanOrEqual(5000);
});
