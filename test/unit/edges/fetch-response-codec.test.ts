/** The hand-written encoder against the generated one. */
import { encodeFetchAnswer } from '@balsa/node/edges/grpc/fetch-response-codec.ts';
import { stampBatch } from '@balsa/node/core/records/batch-stamp.ts';
import { asOffset, asTerm } from '@balsa/node/core/ids.ts';
import { FetchResponse } from '@balsa/proto/client';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const whole = (max: number) =>
  fc.oneof(
    fc.integer({ min: 0, max: 300 }),
    fc.maxSafeNat().map((value) => value % (max + 1)),
  );
const answers = fc.record({
  correlation: whole(0xffff_ffff),
  error: fc.option(
    fc.record({
      code: fc.string(),
      message: fc.string({ unit: 'grapheme' }),
      leaderNodeId: whole(65_535),
      leaderTerm: whole(Number.MAX_SAFE_INTEGER),
    }),
    { nil: undefined },
  ),
  highWatermark: whole(Number.MAX_SAFE_INTEGER),
  logStart: whole(Number.MAX_SAFE_INTEGER),
  batches: fc.array(
    fc.record({
      bytes: fc.uint8Array({ minLength: 61, maxLength: 400 }),
      baseOffset: whole(Number.MAX_SAFE_INTEGER - 1).map(asOffset),
      term: whole(0x7fff_ffff).map(asTerm),
    }),
    { maxLength: 5 },
  ),
});

test('gives the bytes of the generated encoder over stamped batches, and leaves its input alone', () => {
  fc.assert(
    fc.property(answers, (answer) => {
      const before = answer.batches.map(({ bytes }) => bytes.slice());
      const batches = answer.batches.map(({ bytes, baseOffset, term }) => stampBatch(bytes, baseOffset, term));
      expect(encodeFetchAnswer(answer)).toEqual(Buffer.from(FetchResponse.encode({ ...answer, batches }).finish()));
      expect(answer.batches.map(({ bytes }) => bytes)).toEqual(before);
    }),
    { numRuns: 300 },
  );
});
