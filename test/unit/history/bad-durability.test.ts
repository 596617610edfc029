/** Histories in which something is missing from the final log or from a replica. */
import { describe, test } from 'vitest';
import type { Anomaly } from '@balsa/chaos/history/anomaly.ts';
import type { BadCase } from './script.ts';
import { expectAnomaly } from './script.ts';

const retention = { retention: true };

const cases: Partial<Record<Anomaly, readonly BadCase[]>> = {
  'lost-write': [
    {
      name: 'the last of several drains decides',
      write: (h) => {
        h.drained([]);
        h.ack(h.send([1]));
        h.drained([]);
      },
    },
    {
      name: 'a second creation of unknown outcome is no excuse while the topic lives',
      write: (h) => {
        h.created('t', 'i1');
        h.info(h.create('t'));
        h.ack(h.send([1]));
        h.drained([]);
      },
    },
    {
      name: 'of a life that was created anew, which its acknowledgement names',
      write: (h) => {
        h.created('t', 'i1');
        h.removed('t');
        h.created('t', 'i2');
        h.ack(h.send([1]), [0], { incarnation: 'i2' });
        h.drained([]);
      },
      also: ['stale-end-offset'],
    },
    {
      name: 'in the middle: another value took its place in the order',
      write: (h) => {
        h.ack(h.send([1]));
        h.sent([2], 0, { session: 'b' });
        h.drained([2]);
      },
    },
    {
      name: 'at the end: the log was truncated',
      write: (h) => {
        h.sent([1, 2], 0);
        h.drained([1]);
      },
      also: ['stale-end-offset'],
    },
    {
      name: 'everything is gone',
      count: 2,
      write: (h) => {
        h.ack(h.send([1, 2]));
        h.drained([]);
      },
    },
    {
      name: 'read once, gone later',
      write: (h) => {
        h.ack(h.send([1], { session: 'a' }));
        const b = h.send([2], { session: 'b' });
        h.polled('x', [[0, 1]]);
        h.info(b);
        h.drained([2]);
      },
      also: ['inconsistent-offsets', 'realtime-order'],
    },
    {
      name: 'above the log start of a topic with retention',
      options: retention,
      write: (h) => {
        h.sent([1, 2, 3], 0);
        const x = h.send([4], { session: 'b' });
        h.drained([2], { from: 1, logStart: 1, highWatermark: 2 });
        h.info(x);
      },
      also: ['stale-end-offset'],
    },
    {
      name: 'a trimmed prefix does not excuse a topic without retention',
      write: (h) => {
        h.sent([1, 2], 0);
        h.drained([2], { from: 1, logStart: 1 });
      },
      also: ['unexpected-log-start'],
    },
  ],
  'vanished-read': [
    {
      name: 'a record of unknown outcome is read, then gone',
      write: (h) => {
        const op = h.send([1]);
        h.polled('x', [[0, 1]]);
        h.info(op);
        h.drained([]);
      },
      also: ['stale-end-offset'],
    },
    {
      name: 'a record with weak acks is read, then gone',
      write: (h) => {
        h.ack(h.send([1], { acks: 'leader' }));
        h.polled('x', [[0, 1]]);
        h.sent([2], 0, { session: 'b' });
        h.drained([2]);
      },
      also: ['inconsistent-offsets', 'append-below-end'],
    },
    {
      name: 'a replica showed what was never committed',
      write: (h) => {
        const op = h.send([1]);
        h.replica(2, [1]);
        h.info(op);
        h.drained([]);
      },
      also: ['stale-end-offset'],
    },
  ],
  'lost-on-node': [
    {
      name: 'a hole',
      write: (h) => {
        h.sent([1, 2, 3], 0);
        h.drained([1, 2, 3]);
        h.assigned('r', 0);
        h.polled('r', [[0, 1]], { source: 'replica', node: 2 });
        h.polled('r', [[2, 3]], { source: 'replica', node: 2, highWatermark: 3 });
      },
      also: ['poll-skip'],
    },
    {
      name: 'no beginning',
      write: (h) => {
        h.sent([1, 2], 0);
        h.drained([1, 2]);
        h.assigned('r', 0);
        h.polled('r', [[1, 2]], { source: 'replica', node: 1, highWatermark: 2 });
      },
      also: ['poll-skip'],
    },
    {
      name: 'in one answer',
      write: (h) => {
        h.sent([1, 2, 3], 0);
        h.drained([1, 2, 3]);
        h.assigned('r', 0);
        h.polled(
          'r',
          [
            [0, 1],
            [2, 3],
          ],
          { source: 'replica', node: 1, highWatermark: 3 },
        );
      },
      also: ['int-poll-skip'],
    },
  ],
  unseen: [
    {
      name: 'nobody read anything',
      count: 3,
      write: (h) => {
        h.sent([1, 2, 3], 0);
      },
    },
    {
      name: 'the drain stopped below the watermark',
      count: 2,
      write: (h) => {
        h.sent([1, 2, 3], 0);
        h.drained([1], { highWatermark: 3 });
      },
    },
    {
      name: 'the drain came before the acknowledgement',
      count: 1,
      write: (h) => {
        h.sent([1], 0);
        h.drained([1]);
        h.sent([2], 1);
      },
    },
    {
      name: 'the drain told no watermark and did not reach what was acknowledged',
      count: 1,
      write: (h) => {
        h.sent([1, 2], 0);
        h.assigned('d', 0);
        h.polled('d', [[0, 1]], { source: 'drain' });
      },
    },
  ],
  'unseen-on-node': [
    {
      name: 'a replica is not read from the beginning',
      write: (h) => {
        h.sent([1, 2], 0);
        h.drained([1, 2]);
        h.replica(1, [2], { from: 1 });
      },
    },
    {
      name: 'a replica lags',
      write: (h) => {
        h.sent([1, 2], 0);
        h.drained([1, 2]);
        h.replica(1, [1, 2]);
        h.replica(2, [1]);
      },
    },
    {
      name: 'a replica is empty',
      write: (h) => {
        h.sent([1], 0);
        h.drained([1]);
        h.replica(3, []);
      },
    },
    {
      name: 'two passes, both too short',
      count: 1,
      write: (h) => {
        h.sent([1, 2, 3], 0);
        h.drained([1, 2, 3]);
        h.replica(2, [1]);
        h.replica(2, [1, 2]);
      },
    },
  ],
  'offset-gap': [
    {
      name: 'an offset is missing',
      write: (h) => {
        h.sent([1], 0);
        const x = h.send([2], { session: 'b' });
        h.sent([3], 2, { session: 'c' });
        h.assigned('d', 0);
        h.polled('d', [[0, 1]], { source: 'drain' });
        h.polled('d', [[2, 3]], { source: 'drain', highWatermark: 3 });
        h.info(x);
      },
      also: ['poll-skip'],
    },
    {
      name: 'the beginning is missing',
      write: (h) => {
        const x = h.send([2], { session: 'b' });
        h.sent([1], 1);
        h.assigned('d', 0);
        h.polled('d', [[1, 1]], { source: 'drain', highWatermark: 2 });
        h.info(x);
      },
      also: ['poll-skip'],
    },
    {
      name: 'in one answer',
      write: (h) => {
        h.sent([1], 0);
        const x = h.send([2], { session: 'b' });
        h.sent([3], 2, { session: 'c' });
        h.assigned('d', 0);
        h.polled(
          'd',
          [
            [0, 1],
            [2, 3],
          ],
          { source: 'drain', highWatermark: 3 },
        );
        h.info(x);
      },
      also: ['int-poll-skip'],
    },
  ],
  'unexpected-log-start': [
    {
      name: 'a log start was told',
      write: (h) => {
        h.sent([1], 0);
        h.drained([1]);
        h.bound('start-offset', 1);
      },
    },
    {
      name: 'a poll told one',
      write: (h) => {
        h.sent([1, 2], 0);
        h.drained([1, 2]);
        h.polled('x', [[1, 2]], { logStart: 1 });
      },
    },
    {
      name: 'the topic says that it has no retention',
      options: retention,
      write: (h) => {
        h.created('t', 'i1', false);
        h.sent([1], 0);
        h.drained([1]);
        h.bound('start-offset', 1);
      },
    },
  ],
};

describe.each(Object.entries(cases))('%s', (anomaly, bad) => {
  test.each(bad)('$name', (one) => expectAnomaly(anomaly as Anomaly, one));
});
