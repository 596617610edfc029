/** Histories as text, and the recorder. */
import { describe, expect, test } from 'vitest';
import type { HistoryEvent } from '@balsa/chaos/history/event.ts';
import { kinds } from '@balsa/chaos/history/event.ts';
import { shapeOf } from '@balsa/chaos/history/event-shape.ts';
import { decodeEvent, decodeHistory, encodeEvent, HistoryFormatError } from '@balsa/chaos/history/ndjson.ts';
import { createHistory } from '@balsa/chaos/history/recorder.ts';
import { script } from './script.ts';

function everything(): readonly HistoryEvent[] {
  const h = script();
  h.created('t', 'i1', true);
  h.described([{ name: 't', incarnation: 'i1' }]);
  h.ack(h.send([1, 2], { fingerprints: [5, 6] }), [0, null], { batches: [2], attempts: 3 });
  h.info(h.send([3], { session: 'b', acks: 'none', idempotent: false }));
  h.fail(h.send([4], { session: 'c' }));
  h.bound('end-offset', 2);
  h.bound('start-offset', 0, { source: 'replica', node: 2 });
  h.drained([1, 2], { logStart: 0 });
  h.replica(3, [1, 2]);
  h.polled('x', [[0, 1, 5]]);
  h.removed('t');
  return h.events();
}

describe('ndjson', () => {
  test('every event comes back as it was', () => {
    for (const event of everything()) expect(decodeEvent(encodeEvent(event), 1)).toEqual(event);
  });

  test('a history comes back line by line', () => {
    const events = everything();
    expect([...decodeHistory([...events.map(encodeEvent), ''])]).toEqual(events);
  });

  test('there is a shape for every kind', () => {
    for (const kind of kinds) for (const type of ['invoke', 'ok', 'fail', 'info']) expect(shapeOf(type, kind)).toBeDefined();
  });

  const invoke = { op: 1, tNs: 5, process: 'p', type: 'invoke' };
  const send = { ...invoke, f: 'send', topic: 't', partition: 0, session: 's', acks: 'quorum', idempotent: true, records: [{ id: 1 }] };
  const read = { op: 1, tNs: 5, process: 'p', type: 'ok', f: 'poll' };
  test.each([
    ['{', 'JSON'],
    ['[]', 'object'],
    ['null', 'object'],
    [{ ...send, op: -1 }, 'op'],
    [{ ...send, tNs: 1.5 }, 'tNs'],
    [{ ...send, process: 7 }, 'process'],
    [{ ...send, node: 'a' }, 'node'],
    [{ ...send, f: 'sing' }, 'sing'],
    [{ ...send, f: 'toString' }, 'toString'],
    [{ ...send, type: 'maybe' }, 'maybe'],
    [{ ...send, acks: 'all' }, 'acks'],
    [{ ...send, idempotent: 1 }, 'idempotent'],
    [{ ...send, records: [{ id: 'a' }] }, 'records'],
    [{ ...send, records: undefined }, 'records'],
    [{ ...send, topic: '' }, 'topic'],
    [{ ...send, partition: 2 ** 60 }, 'partition'],
    [{ ...send, type: 'ok', offsets: [0, -1] }, 'offsets'],
    [{ ...send, type: 'info', batches: [1, 'x'] }, 'batches'],
    [{ ...send, type: 'fail', error: 5 }, 'error'],
    [{ ...read, records: [{ offset: 0 }] }, 'records'],
    [{ ...read, records: [], highWatermark: -1 }, 'highWatermark'],
    [{ ...invoke, f: 'poll', topic: 't', partition: 0, source: 'disk' }, 'source'],
    [{ ...invoke, f: 'poll', topic: 't', partition: 0, source: 'replica' }, 'node'],
    [{ ...read, f: 'describe-topics', topics: [{ name: 't' }] }, 'topics'],
  ])('refuses %j and names the line', (bad, part) => {
    const text = typeof bad === 'string' ? bad : JSON.stringify(bad);
    expect(() => decodeEvent(text, 17)).toThrow(HistoryFormatError);
    expect(() => decodeEvent(text, 17)).toThrow(/^Line 17 /);
    expect(() => decodeEvent(text, 17)).toThrow(part);
  });

  test('the line is counted over empty ones', () => {
    expect(() => [...decodeHistory(['', JSON.stringify(send), '{'])]).toThrow(/^Line 3 /);
  });

  test('unknown fields are left to newer recorders', () => {
    expect(() => decodeEvent(JSON.stringify({ ...send, colour: 'red' }), 1)).not.toThrow();
  });
});

describe('recorder', () => {
  test('numbers operations, stamps events and tells them at once', () => {
    let now = 0;
    const told: HistoryEvent[] = [];
    const history = createHistory(
      () => (now += 10),
      (event) => told.push(event),
    );
    const a = history.invoke({ f: 'delete-topic', process: 'p', topic: 't' });
    const b = history.invoke({ f: 'poll', process: 'q', topic: 't', partition: 0 });
    history.complete(b, { type: 'ok', records: [] });
    history.complete(a, { type: 'info', error: 'TIMEOUT' });
    expect([a, b]).toEqual([0, 1]);
    expect(history.length).toBe(4);
    expect([...history]).toEqual(told);
    expect(told.map(({ tNs, op, f, type, process }) => [tNs, op, f, type, process])).toEqual([
      [10, 0, 'delete-topic', 'invoke', 'p'],
      [20, 1, 'poll', 'invoke', 'q'],
      [30, 1, 'poll', 'ok', 'q'],
      [40, 0, 'delete-topic', 'info', 'p'],
    ]);
  });

  test('refuses a second completion', () => {
    const history = createHistory(() => 0);
    const op = history.invoke({ f: 'delete-topic', process: 'p', topic: 't' });
    history.complete(op, { type: 'ok' });
    expect(() => history.complete(op, { type: 'ok' })).toThrow();
  });
});
