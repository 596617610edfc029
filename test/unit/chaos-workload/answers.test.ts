/** What the library says, in the words of a history. */
import { balsaErrorOf, failure, readFailure, sendEnding } from '@balsa/chaos/workload/answers.ts';
import { BalsaError, type SendResult } from '@balsa/client';
import { describe, expect, test } from 'vitest';

const sent = (offset: bigint | undefined, index?: number, groupId = 7, partition = 0): PromiseSettledResult<SendResult> => {
  const receipt = index === undefined ? undefined : { groupId, term: 1, index, durableCopies: 2 };
  return { status: 'fulfilled', value: { partition, offset, receipt } };
};
const refused = (reason: unknown): PromiseSettledResult<SendResult> => ({ status: 'rejected', reason });
const unknown = new BalsaError('TIMEOUT', { effect: 'unknown' });
const none = new BalsaError('TIMEOUT', { effect: 'none' });

describe('a failure', () => {
  test('is definite only if it certainly had no effect; a read has none in any case', () => {
    expect(failure(none)).toEqual({ type: 'fail', error: 'TIMEOUT' });
    expect(failure(unknown)).toEqual({ type: 'info', error: 'TIMEOUT' });
    expect(readFailure(unknown)).toEqual({ type: 'fail', error: 'TIMEOUT' });
  });

  test('that is no error of the library is a finding, also in the guise of one', () => {
    const mistake = new TypeError('undefined is not a function');
    for (const judge of [balsaErrorOf, failure, readFailure]) expect(() => judge(mistake)).toThrow(mistake);
    expect(() => balsaErrorOf(new BalsaError('INTERNAL', { cause: mistake }))).toThrow(mistake);
    const broker = new BalsaError('INTERNAL', { cause: Object.assign(new Error('13 INTERNAL'), { code: 13 }) });
    expect(balsaErrorOf(broker)).toBe(broker);
  });
});

describe('a send of several records', () => {
  test('is acknowledged if all are, with their offsets and batches', () => {
    expect(sendEnding(true, [sent(4n, 9), sent(5n, 9), sent(6n, 10)])).toEqual({
      type: 'ok',
      offsets: [4, 5, 6],
      batches: [2, 1],
      attempts: 1,
      incarnation: '7',
    });
  });

  test('tells the life of the topic only if it was one, and its partition 0 answered', () => {
    expect(sendEnding(true, [sent(4n, 9), sent(0n, 2, 8)])).not.toHaveProperty('incarnation');
    expect(sendEnding(true, [sent(4n, 9, 8, 1)])).not.toHaveProperty('incarnation');
  });

  test('without offsets and receipts knows neither', () => {
    expect(sendEnding(true, [sent(undefined), sent(undefined)])).toEqual({
      type: 'ok',
      offsets: [null, null],
      batches: [1, 1],
      attempts: 1,
    });
  });

  test('without idempotence may have left copies', () => {
    expect(sendEnding(false, [sent(4n, 9)]).attempts).toBeGreaterThan(100);
  });

  test('failed only if none can have been written', () => {
    expect(sendEnding(true, [refused(none), refused(none)])).toMatchObject({ type: 'fail', error: 'TIMEOUT' });
    expect(sendEnding(true, [refused(none), refused(unknown)])).toMatchObject({ type: 'info' });
    expect(sendEnding(true, [sent(4n, 9), refused(none)])).toMatchObject({ type: 'info' });
  });

  test('throws what is no error of the library, wherever it stands', () => {
    expect(() => sendEnding(true, [sent(4n, 9), refused(none), refused(new TypeError('a mistake'))])).toThrow('a mistake');
  });
});
