/** Histories that show wrong answers about topics, or that were recorded wrongly. */
import { describe, expect, test } from 'vitest';
import type { Anomaly } from '@balsa/chaos/history/anomaly.ts';
import { anomalies } from '@balsa/chaos/history/anomaly.ts';
import { checkHistory } from '@balsa/chaos/history/check-history.ts';
import type { BadCase } from './script.ts';
import { anomaliesOf, expectAnomaly, script } from './script.ts';

const lives = (topic: string, incarnation: string) => [{ name: topic, incarnation }];

const cases: Partial<Record<Anomaly, readonly BadCase[]>> = {
  'resurrected-read': [
    {
      name: 'the new topic shows an old value',
      write: (h) => {
        h.created('t', 'i1');
        h.sent([1], 0);
        h.removed('t');
        h.created('t', 'i2');
        h.drained([1]);
      },
      also: ['end-offset-ahead'],
    },
    {
      name: 'a replica of the new topic has an old value behind new ones',
      write: (h) => {
        h.created('t', 'i1');
        h.sent([1], 0);
        h.removed('t');
        h.created('t', 'i2');
        h.sent([2], 0, { session: 'b' });
        h.drained([2]);
        h.replica(1, [2, 1]);
      },
      also: ['end-offset-ahead'],
    },
    {
      name: 'two lives later',
      write: (h) => {
        h.created('t', 'i1');
        h.sent([1], 0);
        h.removed('t');
        h.created('t', 'i2');
        h.removed('t');
        h.created('t', 'i3');
        h.drained([1]);
      },
      also: ['end-offset-ahead'],
    },
    {
      name: 'one answer shows values of both',
      write: (h) => {
        h.created('t', 'i1');
        h.ack(h.send([1]), [0], { incarnation: 'i1' });
        h.removed('t');
        h.created('t', 'i2');
        h.ack(h.send([2], { session: 'b' }), [1], { incarnation: 'i2' });
        h.polled('x', [
          [0, 1],
          [1, 2],
        ]);
      },
      also: ['unseen'],
    },
  ],
  'nonlinearizable-metadata': [
    {
      name: 'a deletion is refused as unknown, though the topic is there',
      write: (h) => {
        h.created('t', 'i1');
        h.fail(h.remove('t'), 'UNKNOWN_TOPIC');
      },
    },
    {
      name: 'an acknowledgement names a life of another topic',
      write: (h) => {
        h.created('t', 'i1');
        h.created('u', 'i2');
        h.ack(h.send([1]), [0], { incarnation: 'i2' });
        h.drained([1]);
        h.drained([], { topic: 'u' });
      },
    },
    {
      name: 'an acknowledged topic is not there',
      write: (h) => {
        h.created('t', 'i1');
        h.described([]);
      },
    },
    {
      name: 'a deleted topic is still there',
      write: (h) => {
        h.created('t', 'i1');
        h.removed('t');
        h.described(lives('t', 'i1'));
      },
    },
    {
      name: 'two creations without a deletion',
      write: (h) => {
        h.created('t', 'i1');
        h.created('t', 'i2');
      },
    },
    {
      name: 'an incarnation used twice',
      write: (h) => {
        h.created('t', 'i1');
        h.removed('t');
        h.created('t', 'i1');
      },
    },
    {
      name: 'refused as existing, though deleted',
      write: (h) => {
        h.created('t', 'i1');
        h.removed('t');
        h.fail(h.create('t'), 'TOPIC_EXISTS');
      },
    },
    {
      name: 'it comes back after it was seen gone',
      write: (h) => {
        h.created('t', 'i1');
        const op = h.remove('t');
        h.described([]);
        h.described(lives('t', 'i1'));
        h.done(op);
      },
    },
    {
      name: 'the incarnation of a later creation',
      write: (h) => {
        h.info(h.create('t'));
        h.described(lives('t', 'i2'));
        h.removed('t');
        h.created('t', 'i2');
      },
    },
    {
      name: 'an old answer shows what was not yet created',
      write: (h) => {
        h.described(lives('t', 'i1'), false);
        h.created('t', 'i1');
      },
    },
    {
      name: 'an old answer shows it under another name',
      write: (h) => {
        h.created('t', 'i1');
        h.described(lives('u', 'i1'), false);
      },
    },
    {
      name: 'deleted twice',
      write: (h) => {
        h.created('t', 'i1');
        h.removed('t');
        h.removed('t');
      },
    },
  ],
  'undecided-metadata': [14, 16, 20].map((open) => ({
    name: `${open} operations at once`,
    write: (h) => {
      h.created('t', 'i1');
      const creations = Array.from({ length: open }, () => h.create('t'));
      for (const op of creations) h.fail(op, 'TOPIC_EXISTS');
    },
  })),
  unanswered: [
    { name: 'a send', write: (h) => void h.send([1]) },
    { name: 'a poll', write: (h) => void h.poll('x') },
    { name: 'two', count: 2, write: (h) => [h.poll('x'), h.poll('y')] },
  ],
  'late-answer': [
    {
      name: 'a send',
      options: { operationNsMax: 5000 },
      write: (h) => {
        const op = h.send([1]);
        h.wait(5000);
        h.fail(op);
      },
    },
    {
      name: 'a read',
      options: { operationNsMax: 1500 },
      write: (h) => {
        const op = h.poll('x');
        h.wait(1000);
        h.answer(op, []);
      },
    },
    {
      name: 'of unknown outcome',
      options: { operationNsMax: 1 },
      write: (h) => {
        h.info(h.send([1]));
      },
    },
  ],
  'malformed-history': [
    {
      name: 'a process that sends while it polls',
      write: (h) => {
        const a = h.poll('p');
        const b = h.send([1], { process: 'p' });
        h.answer(a, []);
        h.fail(b);
      },
    },
    {
      name: 'a process with two operations',
      write: (h) => {
        const a = h.poll('x');
        const b = h.poll('x');
        h.answer(a, []);
        h.answer(b, []);
      },
    },
    {
      name: 'a process that goes on after an info',
      write: (h) => {
        h.info(h.send([1]));
        h.fail(h.send([2]));
      },
    },
    {
      name: 'a value sent twice',
      write: (h) => {
        h.fail(h.send([1]));
        h.fail(h.send([1], { session: 'b' }));
      },
    },
    {
      name: 'batches that do not hold the records',
      write: (h) => {
        h.info(h.send([1, 2]), { batches: [1] });
      },
    },
    {
      name: 'offsets that do not match the records',
      write: (h) => {
        h.ack(h.send([1, 2]), [0]);
        h.drained([1, 2]);
      },
    },
    {
      name: 'a replica without a node',
      write: (h) => {
        h.polled('r', [], { source: 'replica' });
      },
    },
  ],
};

describe.each(Object.entries(cases))('%s', (anomaly, bad) => {
  test.each(bad)('$name', (one) => expectAnomaly(anomaly as Anomaly, one));
});

describe('malformed-history, as no recorder would write it', () => {
  const good = () => {
    const h = script();
    h.fail(h.send([1]));
    return h.events();
  };
  test('time runs backwards', () => {
    const [invoke, fail] = good();
    expect(anomaliesOf(checkHistory([invoke!, { ...fail!, tNs: 0 }]))).toEqual(['malformed-history']);
  });
  test('a completion of nothing', () => {
    const [, fail] = good();
    expect(anomaliesOf(checkHistory([fail!]))).toEqual(['malformed-history']);
  });
  test('an operation id twice', () => {
    const [invoke, fail] = good();
    const verdict = checkHistory([invoke!, fail!, { ...invoke!, tNs: 9000 }, { ...fail!, tNs: 9001 }]);
    expect(anomaliesOf(verdict)).toEqual(['malformed-history']);
    expect(verdict.outcome).toBe('unknown');
  });
  test('a completion of another kind or process', () => {
    const [invoke, fail] = good();
    expect(checkHistory([invoke!, { ...fail!, f: 'poll' } as typeof fail & object]).counts['malformed-history']).toBe(1);
    expect(checkHistory([invoke!, { ...fail!, process: 'other' }]).counts['malformed-history']).toBe(1);
  });
});

test('every anomaly names its invariant and its meaning', () => {
  for (const [name, { invariant, meaning }] of Object.entries(anomalies)) {
    expect(name).toMatch(/^[a-z0-9-]+$/);
    expect(invariant).toMatch(/^(I-[SM]|R-)[0-9.]+$/);
    expect(meaning.length).toBeGreaterThan(10);
  }
});
