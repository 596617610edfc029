/** Histories of topics that are created, deleted and created anew: they look suspicious and are right. */
import { describe, expect, test } from 'vitest';
import type { Case } from './script.ts';
import { expectPass, judge } from './script.ts';

const cases: readonly Case[] = [
  {
    name: 'a deleted topic loses its data, the new one starts at 0',
    write: (h) => {
      h.created('t', 'i1');
      h.sent([1, 2], 0);
      h.polled('x', [[0, 1]]);
      h.removed('t');
      h.created('t', 'i2');
      h.assigned('x', 0);
      h.sent([3], 0, { session: 'b' });
      h.drained([3]);
      h.replica(1, [3]);
    },
  },
  {
    name: 'a topic deleted for good',
    write: (h) => {
      h.created('t', 'i1');
      h.sent([1], 0);
      h.removed('t');
      h.described([]);
    },
  },
  {
    name: 'a broker that has not heard of the deletion acknowledges and serves for a moment',
    write: (h) => {
      h.created('t', 'i1');
      h.removed('t');
      h.ack(h.send([1]));
      h.drained([]);
    },
  },
  {
    name: 'a deletion of unknown outcome',
    write: (h) => {
      h.created('t', 'i1');
      h.sent([1], 0);
      h.info(h.remove('t'));
    },
  },
  {
    name: 'a send under way while its topic is deleted and created again',
    write: (h) => {
      h.created('t', 'i1');
      const op = h.send([1]);
      h.removed('t');
      h.created('t', 'i2');
      h.ack(op, [0]);
      h.sent([2], 0, { session: 'b' });
      h.drained([2]);
    },
  },
  {
    name: 'a reader of the old topic answers late',
    write: (h) => {
      h.created('t', 'i1');
      h.sent([1], 0);
      const late = h.poll('x');
      h.removed('t');
      h.created('t', 'i2');
      h.answer(late, [[0, 1]]);
      h.sent([2], 0, { session: 'b' });
      h.drained([2]);
    },
  },
  {
    name: 'a creation of unknown outcome, seen later',
    write: (h) => {
      h.info(h.create('t'));
      h.described([]);
      h.described([{ name: 't', incarnation: 'i1' }]);
      h.sent([1], 0);
      h.drained([1]);
    },
  },
  {
    name: 'a creation of unknown outcome came too late',
    write: (h) => {
      const late = h.create('t');
      h.created('t', 'i1');
      h.info(late);
      h.sent([1], 0);
      h.drained([1]);
    },
  },
  {
    name: 'many creations and deletions of unknown outcome',
    write: (h) => {
      for (let n = 0; n < 30; n += 1) {
        h.info(h.create('t'));
        h.info(h.remove('t'));
      }
      h.described([]);
      h.described([{ name: 't', incarnation: 'i1' }]);
      h.described([]);
      h.described([{ name: 't', incarnation: 'i2' }]);
    },
  },
  {
    name: 'old answers about topics',
    write: (h) => {
      h.created('t', 'i1');
      h.described([], false);
      h.removed('t');
      h.described([{ name: 't', incarnation: 'i1' }], false);
      h.created('t', 'i2');
      h.described([{ name: 't', incarnation: 'i1' }], false);
      h.drained([]);
    },
  },
  {
    name: 'overlapping creations: one wins, one is refused, a look-up sees either',
    write: (h) => {
      const a = h.create('t');
      const b = h.create('t');
      const early = h.describeTopics();
      h.fail(a, 'TOPIC_EXISTS');
      h.done(b, { incarnation: 'i1' });
      h.done(early, { topics: [] });
      h.fail(h.remove('other'), 'UNKNOWN_TOPIC');
      h.fail(h.remove('t'), 'NOT_LEADER');
      h.drained([]);
    },
  },
  {
    name: 'a drain of values that may have been sent to either of two lives, between and behind values that tell which one it is',
    write: (h) => {
      h.created('t', 'i1');
      h.sent([1], 0);
      h.info(h.send([2], { session: 'b', idempotent: false }), { attempts: 2 });
      h.sent([3], 3);
      h.info(h.send([4], { session: 'c' }));
      h.info(h.remove('t'));
      h.info(h.create('t'));
      h.assigned('drain', 0);
      const places = [
        [0, 1],
        [1, 2],
        [2, 2],
        [3, 3],
        [4, 4],
      ] as const;
      for (const place of places) h.polled('drain', [place], { source: 'drain', highWatermark: 5 });
    },
  },
  {
    name: 'a reader that meets one life before and after such a value',
    write: (h) => {
      h.created('t', 'i1');
      h.sent([1], 0);
      h.info(h.send([2], { session: 'b' }));
      h.sent([3], 2);
      h.info(h.remove('t'));
      h.info(h.create('t'));
      for (const place of [
        [0, 1],
        [1, 2],
        [2, 3],
      ] as const)
        h.polled('x', [place]);
      h.drained([1, 2, 3]);
    },
  },
  {
    name: 'brokers that have not learnt of a deletion, and answer for the old topic after the next one was created',
    write: (h) => {
      h.created('t', 'i1');
      h.ack(h.send([1]), [0], { incarnation: 'i1' });
      h.removed('t');
      h.created('t', 'i2');
      h.ack(h.send([2]), [1], { incarnation: 'i1' });
      h.polled('x', [[1, 2]]);
      h.bound('end-offset', 2);
      h.ack(h.send([3], { session: 'b' }), [0], { incarnation: 'i2' });
      h.assigned('x', 0);
      h.polled('x', [[0, 3]]);
      h.drained([3]);
    },
  },
  {
    name: 'a reader that begins again, of which the first answer does not tell which life it met',
    write: (h) => {
      h.created('t', 'i1');
      h.ack(h.send([1]), [0], { incarnation: 'i1' });
      h.assigned('x', 0);
      h.polled('x', [[0, 1]]);
      h.removed('t');
      h.created('t', 'i2');
      h.assigned('x', 0);
      h.polled('x', []);
      h.polled('x', [[0, 1]]);
      h.drained([]);
    },
  },
];

describe('right histories pass', () => {
  test.each(cases)('$name', expectPass);
});

test('operations that may have met two lives of a topic are counted', () => {
  const verdict = judge({
    name: '',
    write: (h) => {
      h.created('t', 'i1');
      const op = h.send([1]);
      h.removed('t');
      h.created('t', 'i2');
      h.ack(op, [0]);
    },
  });
  expect(verdict.figures.unplaced).toBe(1);
});
