/** A verdict without substance is refused, gate by gate. */
import { describe, expect, test } from 'vitest';
import type { VacuityLimits } from '@balsa/chaos/history/vacuity.ts';
import { checkVacuity } from '@balsa/chaos/history/vacuity.ts';
import type { Case } from './script.ts';
import { judge } from './script.ts';

const full: Case = {
  name: '',
  write: (h) => {
    h.sent([1, 2], 0);
    h.polled('x', [[0, 1]]);
    h.drained([1, 2]);
    h.replica(1, [1, 2]);
    h.replica(2, [1, 2]);
  },
};
const limits: VacuityLimits = { okMin: { send: 1, poll: 4 }, infoShareMax: 0.1, replicasReadMin: 2 };
const gates = (one: Case, wanted: VacuityLimits = limits) => checkVacuity(judge(one), wanted).map(({ gate }) => gate);

describe('vacuity', () => {
  test('a full history may be believed', () => expect(gates(full)).toEqual([]));
  test('too few of a kind', () => expect(gates(full, { ...limits, okMin: { send: 2, 'create-topic': 1 } })).toEqual(['ok-min', 'ok-min']));
  test('too few replicas', () => expect(gates(full, { ...limits, replicasReadMin: 3 })).toEqual(['replicas-read']));
  test('too much unknown', () => {
    const one: Case = { name: '', write: (h) => (full.write(h), h.info(h.send([3], { session: 'b' })), void 0) };
    expect(gates(one)).toEqual(['info-share']);
    expect(gates(one, { ...limits, infoShareMax: 0.2 })).toEqual([]);
  });
  test('nothing happened', () => expect(gates({ name: '', write: () => {} })).toEqual(['ok-min', 'ok-min', 'replicas-read']));
  test('a log was not drained, which is told apart from loss', () => {
    const one: Case = { name: '', write: (h) => void h.sent([1], 0) };
    expect(gates(one, { okMin: {}, infoShareMax: 0 })).toEqual(['undrained', 'unseen']);
    expect(gates(one, { okMin: {}, infoShareMax: 0, drained: false })).toEqual(['unseen']);
    expect(judge(one).counts['lost-write']).toBe(0);
  });
  test('a drain that does not begin at the log start is none', () => {
    const one: Case = { name: '', write: (h) => (h.sent([1, 2], 0), h.polled('x', [[0, 1]]), h.drained([2], { from: 1 }), void 0) };
    expect(gates(one, { okMin: {}, infoShareMax: 0 })).toEqual(['undrained']);
    expect(judge(one).outcome).toBe('pass');
  });
  test('a replica was not drained', () => {
    const one: Case = { name: '', write: (h) => (h.sent([1], 0), h.drained([1]), h.replica(1, []), void 0) };
    expect(gates(one, { okMin: {}, infoShareMax: 0 })).toEqual(['unseen']);
  });
  test('too much of unknown place', () => {
    const one: Case = {
      name: '',
      write: (h) => {
        h.created('t', 'i1');
        const op = h.send([1]);
        h.removed('t');
        h.created('t', 'i2');
        h.ack(op, [0]);
        h.drained([]);
      },
    };
    expect(gates(one, { okMin: {}, infoShareMax: 0 })).toEqual(['unplaced-share']);
    expect(gates(one, { okMin: {}, infoShareMax: 0, unplacedShareMax: 0.5 })).toEqual([]);
  });
  test('a history that cannot be judged', () => {
    const one: Case = {
      name: '',
      write: (h) => {
        h.info(h.send([1]));
        h.fail(h.send([2]));
      },
    };
    expect(judge(one).outcome).toBe('unknown');
    expect(gates(one, { okMin: {}, infoShareMax: 1, drained: false })).toEqual(['undecided']);
  });
});
