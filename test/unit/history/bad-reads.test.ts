/** Histories in which readers skip, repeat or go back, or read beyond the bounds of the log. */
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
  'poll-skip': [
    {
      name: 'between two answers',
      write: (h) => {
        logOf(h, 4);
        h.polled('x', [[0, 1]]);
        h.polled('x', [[2, 3]]);
      },
    },
    {
      name: 'behind the assigned offset',
      write: (h) => {
        logOf(h, 3);
        h.assigned('x', 1);
        h.polled('x', [[2, 3]]);
      },
    },
    {
      name: 'an empty answer in between does not help',
      write: (h) => {
        logOf(h, 3);
        h.polled('x', [[0, 1]]);
        h.polled('x', []);
        h.polled('x', [[2, 3]]);
      },
    },
    {
      name: 'further than the log start at that time',
      options: retention,
      write: (h) => {
        logOf(h, 4);
        h.polled('x', [[0, 1]], { logStart: 0 });
        h.polled('x', [[3, 4]], { logStart: 2 });
        h.bound('start-offset', 3);
      },
    },
    {
      name: 'a log start is no excuse for a topic without retention',
      write: (h) => {
        logOf(h, 3);
        h.polled('x', [[0, 1]]);
        h.polled('x', [[2, 3]], { logStart: 2 });
      },
      also: ['unexpected-log-start'],
    },
    {
      name: 'further than the log start of the same answer',
      options: retention,
      write: (h) => {
        logOf(h, 4);
        h.polled('x', [[0, 1]], { logStart: 0 });
        h.polled('x', [[3, 4]], { logStart: 2 });
      },
    },
  ],
  'nonmonotonic-poll': [
    {
      name: 'a record again',
      write: (h) => {
        logOf(h, 2);
        h.polled('x', [[0, 1]]);
        h.polled('x', [[0, 1]]);
      },
    },
    {
      name: 'backwards',
      write: (h) => {
        logOf(h, 3);
        h.polled('x', [
          [1, 2],
          [2, 3],
        ]);
        h.polled('x', [[0, 1]]);
      },
    },
    {
      name: 'before the assigned offset',
      write: (h) => {
        logOf(h, 3);
        h.assigned('x', 1);
        h.polled('x', [
          [0, 1],
          [1, 2],
        ]);
      },
    },
    {
      name: 'a replica repeats itself',
      count: 1,
      write: (h) => {
        logOf(h, 2);
        h.polled('r', [[0, 1]], { source: 'replica', node: 1 });
        h.polled(
          'r',
          [
            [0, 1],
            [1, 2],
          ],
          { source: 'replica', node: 1 },
        );
      },
    },
  ],
  'int-poll-skip': [
    {
      name: 'one left out',
      write: (h) => {
        logOf(h, 3);
        h.polled('x', [
          [0, 1],
          [2, 3],
        ]);
      },
    },
    {
      name: 'two holes',
      count: 2,
      write: (h) => {
        logOf(h, 5);
        h.polled('x', [
          [0, 1],
          [2, 3],
          [4, 5],
        ]);
      },
    },
    {
      name: 'retention is no excuse above the log start',
      options: retention,
      write: (h) => {
        logOf(h, 4);
        h.polled(
          'x',
          [
            [1, 2],
            [3, 4],
          ],
          { logStart: 1 },
        );
      },
    },
  ],
  'int-nonmonotonic-poll': [
    {
      name: 'in an answer that does not tell which life it met',
      write: (h) => {
        h.created('t', 'i1');
        h.removed('t');
        h.created('t', 'i2');
        h.info(h.send([1]));
        h.polled('x', [
          [0, 1],
          [0, 1],
        ]);
        h.drained([]);
      },
    },
    {
      name: 'by a late answer, which its values place in the deleted topic',
      write: (h) => {
        h.created('t', 'i1');
        h.sent([1], 0);
        const late = h.poll('x');
        h.removed('t');
        h.created('t', 'i2');
        h.answer(late, [
          [0, 1],
          [0, 1],
        ]);
      },
    },
    {
      name: 'a record twice',
      write: (h) => {
        logOf(h, 2);
        h.polled('x', [
          [0, 1],
          [0, 1],
        ]);
      },
    },
    {
      name: 'swapped',
      also: ['int-poll-skip'],
      write: (h) => {
        logOf(h, 3);
        h.polled('x', [
          [0, 1],
          [2, 3],
          [1, 2],
        ]);
      },
    },
    {
      name: 'backwards at the end',
      write: (h) => {
        logOf(h, 3);
        h.polled('x', [
          [1, 2],
          [2, 3],
          [0, 1],
        ]);
      },
    },
  ],
  'read-above-watermark': [
    {
      name: 'at the high watermark',
      write: (h) => {
        const a = h.send([1]);
        h.polled('x', [[0, 1]], { highWatermark: 0 });
        h.ack(a, [0]);
        h.drained([1]);
      },
    },
    {
      name: 'beyond it',
      write: (h) => {
        const a = h.send([1, 2, 3]);
        h.polled(
          'x',
          [
            [0, 1],
            [1, 2],
            [2, 3],
          ],
          { highWatermark: 1 },
        );
        h.ack(a, [0, 1, 2]);
        h.drained([1, 2, 3]);
      },
    },
    {
      name: 'on a replica',
      write: (h) => {
        logOf(h, 2);
        h.polled(
          'r',
          [
            [0, 1],
            [1, 2],
          ],
          { source: 'replica', node: 1, highWatermark: 1 },
        );
      },
    },
  ],
  'read-below-log-start': [
    {
      name: 'after a look-up',
      options: retention,
      write: (h) => {
        logOf(h, 3);
        h.bound('start-offset', 2);
        h.polled('x', [
          [1, 2],
          [2, 3],
        ]);
      },
    },
    {
      name: 'by a reader that was assigned its place after a look-up',
      options: retention,
      write: (h) => {
        logOf(h, 3);
        h.assigned('x', 0);
        h.bound('start-offset', 2);
        h.assigned('x', 1);
        h.polled('x', [
          [1, 2],
          [2, 3],
        ]);
      },
    },
    {
      name: 'after a poll of another reader',
      options: retention,
      write: (h) => {
        logOf(h, 3);
        h.polled('x', [], { logStart: 1 });
        h.polled('y', [[0, 1]]);
      },
    },
    {
      name: 'counts once per poll',
      options: retention,
      count: 1,
      write: (h) => {
        logOf(h, 3);
        h.bound('start-offset', 3);
        h.polled('x', [
          [0, 1],
          [1, 2],
          [2, 3],
        ]);
      },
    },
  ],
};

describe.each(Object.entries(cases))('%s', (anomaly, bad) => {
  test.each(bad)('$name', (one) => expectAnomaly(anomaly as Anomaly, one));
});
