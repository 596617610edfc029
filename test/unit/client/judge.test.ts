/** Every row of the table in judge.ts. */
import { BalsaError } from '@balsa/client';
import { type ErrorCode, errorTable } from '@balsa/proto/errors';
import { expect, test } from 'vitest';
import { appendRecord, recordBytesMax } from '../../../client/src/records/batch-builder.ts';
import { openBatch, type SealedBatch, sealBatch } from '../../../client/src/producer/batch.ts';
import { type JudgeFacts, type Judgement, judgeFailure } from '../../../client/src/producer/judge.ts';
import { createPipeline, type Pipeline, renew, takeNext } from '../../../client/src/producer/pipeline.ts';

function batch(): SealedBatch {
  const open = openBatch(0, undefined, 0);
  const record = { key: null, value: null, headers: [], timestampMs: 0 };
  appendRecord(open.builder, record, recordBytesMax(record));
  return sealBatch(open, 'none');
}

function sentPipeline(count: number): Pipeline {
  const pipeline = createPipeline(0);
  pipeline.identity = { producerId: 1, producerEpoch: 0 };
  for (let index = 0; index < count; index++) pipeline.ready.push(batch());
  for (let index = 0; index < count; index++) takeNext(pipeline, 5);
  return pipeline;
}

function judge(code: ErrorCode, facts: Partial<JudgeFacts> = {}, uncertain = 0): Judgement {
  const pipeline = sentPipeline(2);
  const oldest = pipeline.sent[0]!;
  oldest.uncertain = uncertain;
  return judgeFailure(pipeline, oldest, new BalsaError(code), { acks: 'quorum', attempt: 1, wasOldest: true, isListed: true, ...facts });
}

test('everything retriable is sent again', () => {
  for (const [code, { retriable }] of Object.entries(errorTable)) if (retriable) expect(judge(code as ErrorCode), code).toBe('again');
});

test('failures of an earlier attempt mean nothing, but a duplicate is a duplicate', () => {
  for (const code of Object.keys(errorTable) as ErrorCode[]) {
    expect(judge(code, { attempt: 0 }), code).toBe(code === 'DUPLICATE_SEQUENCE' ? 'forgotten-duplicate' : 'ignore');
  }
});

test('a gap behind an older batch is not the batch its fault', () => {
  for (const code of ['OUT_OF_ORDER_SEQUENCE', 'UNKNOWN_PRODUCER'] as const) expect(judge(code, { wasOldest: false })).toBe('again');
});

test('a gap before the oldest batch', () => {
  expect(judge('OUT_OF_ORDER_SEQUENCE')).toBe('refused');
  expect(judge('OUT_OF_ORDER_SEQUENCE', { acks: 'leader' })).toBe('renew');
  expect(judge('UNKNOWN_PRODUCER')).toBe('renew');
  expect(judge('UNKNOWN_PRODUCER', {}, 1)).toBe('refused');
  expect(judge('UNKNOWN_PRODUCER', { acks: 'none' }, 1)).toBe('renew');
});

test('a broker that lags behind the metadata is asked again', () => {
  for (const code of ['UNKNOWN_TOPIC', 'UNKNOWN_PARTITION'] as const) {
    expect(judge(code)).toBe('again');
    expect(judge(code, { isListed: false })).toBe('refused');
  }
});

test('other refusals are final', () => {
  for (const code of ['INVALID_BATCH', 'RECORD_TOO_LARGE', 'PRODUCER_FENCED', 'CLOSED'] as const) expect(judge(code)).toBe('refused');
});

test('sequences follow each other, wrap at 2^31, and start at 0 in the next epoch', () => {
  const pipeline = createPipeline(0);
  pipeline.identity = { producerId: 7, producerEpoch: 3 };
  pipeline.nextSequence = 2 ** 31 - 1;
  const fields = ({ bytes }: SealedBatch) => {
    const view = Buffer.from(bytes);
    return [Number(view.readBigInt64BE(43)), view.readInt16BE(51), view.readInt32BE(53)];
  };
  pipeline.ready.push(batch(), batch(), batch());
  expect([takeNext(pipeline, 2), takeNext(pipeline, 2)].map((taken) => fields(taken!))).toEqual([
    [7, 3, 2 ** 31 - 1],
    [7, 3, 0],
  ]);
  expect(takeNext(pipeline, 2), 'no more than inflightMax').toBeUndefined();
  renew(pipeline);
  expect(fields(takeNext(pipeline, 2)!)).toEqual([7, 4, 0]);
  pipeline.identity = { producerId: 7, producerEpoch: 0x7fff };
  renew(pipeline);
  expect(pipeline.identity, 'epochs are used up: a new producer id is needed').toBeUndefined();
});
