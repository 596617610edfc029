/** The compact log against a plain array of entries. */
import fc from 'fast-check';
import { asRaftIndex, asTerm } from '@balsa/node/core/ids.ts';
import {
  appendToLog,
  bytesBetween,
  compactLog,
  createLog,
  entrySize,
  lastIndex,
  lastIndexWithin,
  lastTerm,
  resetLog,
  termOf,
  truncateLog,
} from '@balsa/node/core/raft/log.ts';
import { expect, test } from 'vitest';

/** terms[0] is the term of the snapshot at `start`. */
interface Model {
  start: number;
  terms: number[];
  sizes: number[];
}

const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant('append' as const), count: fc.nat(40), rise: fc.nat(1), size: fc.nat(0xffff_ffff) }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('truncate' as const), at: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('compact' as const), at: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('reset' as const), ahead: fc.nat(9) }) },
);
type Operation = typeof operation extends fc.Arbitrary<infer Value> ? Value : never;

const endOf = (model: Model): number => model.start + model.terms.length - 1;

function change(model: Model, log: ReturnType<typeof createLog>, each: Operation): void {
  if (each.type === 'append') {
    const term = model.terms.at(-1)! + each.rise;
    for (let count = 0; count < each.count; count++) {
      model.terms.push(term);
      model.sizes.push(each.size);
      appendToLog(log, asRaftIndex(endOf(model)), asTerm(term), each.size);
    }
    return;
  }
  const index = each.type === 'reset' ? endOf(model) + each.ahead : model.start + (each.at % model.terms.length);
  const kept = index - model.start;
  if (each.type === 'truncate') {
    model.terms.length = kept + 1;
    model.sizes.length = kept;
    truncateLog(log, asRaftIndex(index), asRaftIndex(model.start));
  } else if (each.type === 'compact') {
    model.terms = model.terms.slice(kept);
    model.sizes = model.sizes.slice(kept);
    model.start = index;
    compactLog(log, asRaftIndex(index));
  } else {
    Object.assign(model, { start: index, terms: [model.terms.at(-1)! + 1], sizes: [] });
    resetLog(log, asRaftIndex(index), asTerm(model.terms[0]!));
  }
}

function compare(model: Model, log: ReturnType<typeof createLog>): void {
  expect([log.start, lastIndex(log), lastTerm(log)]).toEqual([model.start, endOf(model), model.terms.at(-1)]);
  const indices = model.terms.map((_, position) => model.start + position);
  expect(indices.map((index) => termOf(log, index))).toEqual(model.terms);
  expect(indices.slice(1).map((index) => entrySize(log, asRaftIndex(index)))).toEqual(model.sizes);
  expect([termOf(log, model.start - 1), termOf(log, endOf(model) + 1)]).toEqual([undefined, undefined]);
  expect(bytesBetween(log, model.start + 1, endOf(model))).toBe(model.sizes.reduce((sum, size) => sum + size, 0));
}

test('holds the terms and sizes of the entries through appends and cuts at both ends', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 25 }), (operations) => {
      const model: Model = { start: 0, terms: [0], sizes: [] };
      const log = createLog(asRaftIndex(0), asTerm(0));
      for (const each of operations) {
        change(model, log, each);
        compare(model, log);
      }
    }),
    { numRuns: 200 },
  );
});

test('finds the largest index that may match by going through all of them', () => {
  const steps = fc.array(fc.nat(1), { maxLength: 30 });
  fc.assert(
    fc.property(fc.nat(5), fc.nat(3), steps, fc.nat(40), fc.nat(20), (start, startTerm, rises, index, term) => {
      const log = createLog(asRaftIndex(start), asTerm(startTerm));
      const terms = [startTerm];
      for (const rise of rises) {
        terms.push(terms.at(-1)! + rise);
        appendToLog(log, asRaftIndex(start + terms.length - 1), asTerm(terms.at(-1)!), 1);
      }
      let expected = Math.min(index, start + terms.length - 1);
      while (expected > start && terms[expected - start]! > term) expected -= 1;
      expect(lastIndexWithin(log, asRaftIndex(index), asTerm(term))).toBe(expected);
    }),
    { numRuns: 1000 },
  );
});

test('gives its memory back', () => {
  const log = createLog(asRaftIndex(0), asTerm(1));
  for (let index = 1; index <= 100_000; index++) appendToLog(log, asRaftIndex(index), asTerm(1), 1);
  expect(log.sizes.cells.byteLength).toBeLessThan(100_000 * 4 * 2 + 1);
  compactLog(log, asRaftIndex(99_990));
  expect(log.sizes.cells.length).toBeLessThan(50);
});
