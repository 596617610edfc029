/** Histories that show a wrong order of sends, or wrong ends and log starts. */
import { describe, test } from 'vitest';
import type { Anomaly } from '@balsa/chaos/history/anomaly.ts';
import type { BadCase, Script } from './script.ts';
import { expectAnomaly } from './script.ts';

const retention = { retention: true };

/** Values 1..n at offsets 0..n-1, drained. */
function logOf(h: Script, n: number): void {
  const ids = Array.from({ length: n }, (_, index) => index + 1);
  h.sent(ids, 0);
  h.drained(ids);
}

const cases: Partial<Record<Anomaly, readonly BadCase[]>> = {
  'nonmonotonic-send': [
    {
      name: 'pipelined sends swapped',
      write: (h) => {
        const a = h.send([1]);
        const b = h.send([2]);
        h.ack(a, [1]);
        h.ack(b, [0]);
        h.drained([2, 1]);
      },
    },
    {
      name: 'one of unknown outcome came too late',
      write: (h) => {
        const a = h.send([1]);
        const b = h.send([2]);
        h.info(a);
        h.ack(b, [0]);
        h.drained([2, 1]);
      },
    },
    {
      name: 'with weak acks',
      write: (h) => {
        const a = h.send([1], { acks: 'leader' });
        const b = h.send([2], { acks: 'leader' });
        h.ack(a);
        h.ack(b);
        h.drained([2, 1]);
      },
    },
    {
      name: 'by another process of the same session',
      write: (h) => {
        const a = h.send([1], { session: 's', process: 'p' });
        const b = h.send([2], { session: 's', process: 'q' });
        h.info(a);
        h.info(b);
        h.drained([2, 1]);
      },
    },
  ],
  'int-nonmonotonic-send': [
    {
      name: 'two records of one send swapped',
      write: (h) => {
        h.ack(h.send([1, 2]), [1, 0]);
        h.drained([2, 1]);
      },
    },
    {
      name: 'the last came first',
      write: (h) => {
        h.ack(h.send([1, 2, 3]), [1, 2, 0]);
        h.drained([3, 1, 2]);
      },
    },
    {
      name: 'of unknown outcome',
      count: 1,
      write: (h) => {
        h.info(h.send([1, 2]));
        h.drained([2, 1]);
      },
    },
  ],
  'realtime-order': [
    {
      name: 'before the acknowledged copy, though behind another one',
      write: (h) => {
        const x = h.send([2], { session: 'x' });
        h.info(x);
        h.ack(h.send([1], { session: 'a', idempotent: false }), [2], { attempts: 2 });
        h.ack(h.send([3], { session: 'b' }), [1]);
        h.drained([1, 3, 1, 2]);
      },
    },
    {
      name: 'a later send stands before an acknowledged one',
      write: (h) => {
        const early = h.send([1], { session: 'a' });
        const x = h.send([9], { session: 'x' });
        h.ack(early, [1]);
        h.sent([2], 0, { session: 'b' });
        h.info(x);
        h.drained([2, 1]);
      },
    },
    {
      name: 'of unknown outcome, but in the log',
      write: (h) => {
        const x = h.send([9], { session: 'x' });
        h.sent([1], 1, { session: 'a' });
        h.info(h.send([2], { session: 'b' }));
        h.info(x);
        h.drained([2, 1]);
      },
    },
    {
      name: 'without idempotence as well',
      write: (h) => {
        const x = h.send([9], { session: 'x' });
        h.ack(h.send([1], { session: 'a', idempotent: false }), [1]);
        h.ack(h.send([2], { session: 'b', idempotent: false }), [0]);
        h.info(x);
        h.drained([2, 1]);
      },
    },
    {
      name: 'offsets known from reads only',
      write: (h) => {
        h.ack(h.send([1], { session: 'a' }));
        h.ack(h.send([2], { session: 'b', acks: 'none' }));
        h.drained([2, 1]);
      },
    },
  ],
  'append-below-end': [
    {
      name: 'below what was read before',
      write: (h) => {
        const a = h.send([1], { session: 'a' });
        h.polled('x', [[1, 1]]);
        h.sent([2], 0, { session: 'b' });
        h.info(a);
        h.drained([2, 1]);
      },
    },
    {
      name: 'below an end offset told before',
      write: (h) => {
        const a = h.send([1], { session: 'a' });
        h.bound('end-offset', 1);
        h.sent([2], 0, { session: 'b' });
        h.info(a);
        h.drained([2, 1]);
      },
    },
    {
      name: 'below a high watermark told before',
      write: (h) => {
        const a = h.send([1], { session: 'a' });
        h.polled('x', [], { highWatermark: 1 });
        h.sent([2], 0, { session: 'b' });
        h.info(a);
        h.drained([2, 1]);
      },
    },
    {
      name: 'below what a replica showed before',
      write: (h) => {
        const a = h.send([1], { session: 'a' });
        h.polled('x', [[1, 1]], { source: 'replica', node: 1 });
        h.sent([2], 0, { session: 'b' });
        h.info(a);
        h.drained([2, 1]);
      },
      also: ['unseen-on-node'],
    },
  ],
  'stale-end-offset': [
    {
      name: 'below an acknowledged value',
      write: (h) => {
        h.sent([1, 2], 0);
        h.bound('end-offset', 1);
        h.drained([1, 2]);
      },
    },
    {
      name: 'lower than an end told before',
      write: (h) => {
        const a = h.send([1, 2]);
        h.bound('end-offset', 2);
        h.bound('end-offset', 1);
        h.ack(a, [0, 1]);
        h.drained([1, 2]);
      },
    },
    {
      name: 'below a value read before',
      write: (h) => {
        const a = h.send([1]);
        h.polled('x', [[0, 1]]);
        h.bound('end-offset', 0);
        h.ack(a, [0]);
        h.drained([1]);
      },
    },
    {
      name: 'a poll tells an old high watermark',
      write: (h) => {
        h.sent([1], 0);
        h.polled('x', [], { highWatermark: 0 });
        h.drained([1]);
      },
    },
  ],
  'end-offset-ahead': [
    {
      name: 'more than was sent',
      write: (h) => {
        logOf(h, 2);
        h.bound('end-offset', 3);
      },
    },
    {
      name: 'before the send began',
      write: (h) => {
        h.bound('end-offset', 1);
        logOf(h, 1);
      },
      also: ['append-below-end'],
    },
    {
      name: 'failed sends do not count',
      write: (h) => {
        h.fail(h.send([9]));
        h.sent([1], 0);
        h.drained([1]);
        h.polled('x', [], { highWatermark: 2 });
      },
    },
  ],
  'log-start-regression': [
    {
      name: 'between two look-ups',
      options: retention,
      write: (h) => {
        logOf(h, 3);
        h.bound('start-offset', 2);
        h.bound('start-offset', 1);
      },
    },
    {
      name: 'between a poll and a look-up',
      options: retention,
      write: (h) => {
        logOf(h, 3);
        h.polled('x', [], { logStart: 2 });
        h.bound('start-offset', 0);
      },
    },
    {
      name: 'between two polls',
      options: retention,
      write: (h) => {
        logOf(h, 3);
        h.polled('x', [], { logStart: 3 });
        h.polled('y', [], { logStart: 2 });
      },
    },
  ],
  'log-start-beyond-end': [
    {
      name: 'in one answer',
      options: retention,
      write: (h) => {
        logOf(h, 2);
        h.polled('x', [], { logStart: 3, highWatermark: 2 });
      },
    },
    {
      name: 'above everything sent',
      options: retention,
      write: (h) => {
        logOf(h, 2);
        h.bound('start-offset', 3);
      },
    },
    {
      name: 'before anything was sent',
      options: retention,
      write: (h) => {
        h.bound('start-offset', 1);
        logOf(h, 2);
      },
      also: ['read-below-log-start'],
    },
  ],
};

describe.each(Object.entries(cases))('%s', (anomaly, bad) => {
  test.each(bad)('$name', (one) => expectAnomaly(anomaly as Anomaly, one));
});
