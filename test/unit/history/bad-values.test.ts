/** Histories in which what stands at an offset is wrong: values, contents, origin, batches. */
import { describe, test } from 'vitest';
import type { Anomaly } from '@balsa/chaos/history/anomaly.ts';
import type { BadCase } from './script.ts';
import { expectAnomaly } from './script.ts';

const cases: Partial<Record<Anomaly, readonly BadCase[]>> = {
  'inconsistent-offsets': [
    {
      name: 'at the end of two drains that may have met either of two lives',
      write: (h) => {
        h.created('t', 'i1');
        h.sent([1], 0);
        h.info(h.send([2], { session: 'b' }));
        h.info(h.send([3], { session: 'c' }));
        h.info(h.remove('t'));
        h.info(h.create('t'));
        for (const [drain, last] of [
          ['d1', 2],
          ['d2', 3],
        ] as const) {
          h.assigned(drain, 0);
          h.polled(drain, [[0, 1]], { source: 'drain' });
          h.polled(drain, [[1, last]], { source: 'drain' });
        }
      },
    },
    {
      name: 'two readers see two values',
      write: (h) => {
        const a = h.send([1], { session: 'a' });
        const b = h.send([2], { session: 'b' });
        h.polled('x', [[0, 1]]);
        h.polled('y', [[0, 2]]);
        h.info(a);
        h.info(b);
      },
    },
    {
      name: 'an acknowledged offset holds another value',
      also: ['lost-write'],
      write: (h) => {
        const other = h.send([2], { session: 'b' });
        h.sent([1], 0);
        h.info(other);
        h.drained([2]);
      },
    },
    {
      name: 'two acknowledgements with one offset',
      also: ['lost-write'],
      write: (h) => {
        const a = h.send([1], { session: 'a' });
        const b = h.send([2], { session: 'b' });
        h.ack(a, [0]);
        h.ack(b, [0]);
        h.drained([1]);
      },
    },
    {
      name: 'a replica holds another value than the leader',
      count: 1,
      write: (h) => {
        const unknown = h.send([2], { session: 'b' });
        h.sent([1], 0);
        h.info(unknown);
        h.drained([1]);
        h.replica(3, [2]);
      },
    },
  ],
  duplicate: [
    {
      name: 'an idempotent record twice',
      write: (h) => {
        h.sent([1], 0);
        h.drained([1, 1]);
      },
      also: ['end-offset-ahead'],
    },
    {
      name: 'acknowledged at one offset, read at another',
      write: (h) => {
        const gone = h.send([9], { session: 'b' });
        h.sent([1], 0);
        h.info(gone);
        h.drained([9, 1]);
      },
      also: ['inconsistent-offsets'],
    },
    {
      name: 'more copies than attempts without idempotence',
      write: (h) => {
        h.ack(h.send([1], { idempotent: false }), [0], { attempts: 2 });
        h.sent([2], 1, { session: 'b' });
        h.drained([1, 2, 1, 1]);
      },
      also: ['end-offset-ahead'],
    },
    {
      name: 'weak acks are idempotent as well',
      write: (h) => {
        h.ack(h.send([1], { acks: 'none' }));
        h.sent([2], 1, { session: 'b' });
        h.drained([1, 2, 1]);
      },
      also: ['end-offset-ahead'],
    },
  ],
  'changed-record': [
    {
      name: 'read with another fingerprint than sent',
      write: (h) => {
        h.sent([1], 0, { fingerprints: [77] });
        h.polled('x', [[0, 1, 78]]);
        h.drained([1]);
      },
    },
    {
      name: 'two reads disagree',
      write: (h) => {
        h.sent([1], 0);
        h.polled('x', [[0, 1, 5]]);
        h.polled('y', [[0, 1, 6]]);
        h.drained([1]);
      },
    },
    {
      name: 'a replica disagrees with the leader',
      count: 1,
      write: (h) => {
        h.sent([1, 2], 0);
        h.polled('x', [
          [0, 1, 5],
          [1, 2, 6],
        ]);
        h.drained([1, 2]);
        h.polled(
          'r',
          [
            [0, 1, 5],
            [1, 2, 7],
          ],
          { source: 'replica', node: 2, highWatermark: 2 },
        );
      },
    },
  ],
  'phantom-read': [
    {
      name: 'never sent',
      write: (h) => {
        h.sent([1], 0);
        h.polled('x', [
          [0, 1],
          [1, 99],
        ]);
        h.drained([1]);
      },
      also: ['stale-end-offset'],
    },
    {
      name: 'read before it was sent',
      write: (h) => {
        h.polled('x', [[0, 1]]);
        h.sent([1], 0);
        h.drained([1]);
      },
      also: ['append-below-end'],
    },
    {
      name: 'sent to another partition',
      write: (h) => {
        h.sent([1], 0, { partition: 0 });
        h.drained([1], { partition: 0 });
        h.sent([2], 0, { partition: 1 });
        h.drained([2], { partition: 1 });
        h.polled('x', [[1, 1]], { partition: 1 });
      },
    },
    {
      name: 'sent to another topic',
      write: (h) => {
        h.sent([1], 0, { topic: 'a' });
        h.drained([1], { topic: 'a' });
        h.polled('x', [[0, 1]], { topic: 'b' });
      },
    },
  ],
  'aborted-read': [
    {
      name: 'a refused record is read',
      write: (h) => {
        h.fail(h.send([1]), 'OVERLOADED');
        h.polled('x', [[0, 1]]);
      },
    },
    {
      name: 'a refused record is on one replica only',
      write: (h) => {
        h.fail(h.send([1], { session: 'a' }));
        h.sent([2], 0);
        h.drained([2]);
        h.replica(1, [2, 1]);
      },
      also: ['end-offset-ahead'],
    },
    {
      name: 'a refused record is read before it is refused',
      write: (h) => {
        const op = h.send([1]);
        h.polled('x', [[0, 1]]);
        h.fail(op);
      },
    },
  ],
  'torn-batch': [
    {
      name: 'only its second half survived, at the very beginning',
      write: (h) => {
        h.info(h.send([1, 2]), { batches: [2] });
        h.drained([2]);
      },
    },
    {
      name: 'acknowledged with a gap',
      write: (h) => {
        const x = h.send([3], { session: 'b' });
        h.ack(h.send([1, 2]), [0, 2], { batches: [2] });
        h.info(x);
        h.drained([1, 3, 2]);
      },
    },
    {
      name: 'only its first half survived',
      write: (h) => {
        const op = h.send([1, 2]);
        h.info(op, { batches: [2] });
        h.drained([1]);
      },
    },
    {
      name: 'only its second half survived',
      write: (h) => {
        h.sent([9], 0, { session: 'b' });
        const op = h.send([1, 2]);
        h.info(op, { batches: [2] });
        h.drained([9, 2]);
      },
    },
    {
      name: 'a copy of a batch that is not idempotent is torn',
      write: (h) => {
        h.ack(h.send([1, 2], { idempotent: false }), [0, 1], { batches: [2], attempts: 2 });
        h.drained([1, 2, 1]);
      },
    },
  ],
};

describe.each(Object.entries(cases))('%s', (anomaly, bad) => {
  test.each(bad)('$name', (one) => expectAnomaly(anomaly as Anomaly, one));
});
