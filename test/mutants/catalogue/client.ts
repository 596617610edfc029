/** Bugs of the client: retries, sequences, what it tells of batches whose fate is unknown, reading. */
import type { Mutant } from '../patch.ts';
import { tests } from '../patch.ts';

const producer = 'client/src/producer';
const sending = 'unit/client/producer';

export const clientMutants: readonly Mutant[] = [
  {
    id: 'C1',
    row: 'client retry',
    title: 'a producer that was forgotten starts anew although the batch may have been written',
    file: `${producer}/judge.ts`,
    find: "return facts.acks !== 'quorum' || batch.uncertain === 0 ? 'renew' : 'refused';",
    replace: "return 'renew';",
    checks: [tests('unit/client/judge', 'a gap before the oldest batch')],
  },
  {
    id: 'C2',
    row: 'client retry',
    title: 'a batch that may have been written is given up as surely not written',
    file: `${producer}/settle.ts`,
    find: 'const isCertain = oldest.uncertain === 0;',
    replace: 'const isCertain = oldest.uncertain <= 1;',
    checks: [tests(sending, 'what may have been written fails with unknown effect')],
  },
  {
    id: 'C3',
    row: 'client retry',
    title: 'a lost answer is counted as a refusal: the effect of the batch is called none',
    file: `${producer}/replies.ts`,
    find: "if (error.effect === 'none') batch.uncertain--;",
    replace: 'batch.uncertain--;',
    checks: [tests('unit/client/uncertain-batches', 'a refusal that leaves the effect open')],
    bySimulation: {},
  },
  {
    id: 'C4',
    row: 'client retry',
    title: 'a late reply to an earlier sequence settles the batch that has a new one',
    file: `${producer}/replies.ts`,
    find: 'if (!pipeline.sent.includes(batch) || attempt < batch.stampedInAttempt) return;',
    replace: 'if (!pipeline.sent.includes(batch)) return;',
    checks: [tests(sending, 'a late reply to a batch that got another sequence')],
  },
  {
    id: 'C5',
    row: 'client retry',
    title: 'a retry gets a new sequence, so that the partition cannot recognise it',
    file: `${producer}/pipeline.ts`,
    find: '  pipeline.cursor++;\n  next.sentInAttempt',
    replace:
      '  if (next.sentInAttempt > 0 && next.sentInAttempt < pipeline.attempt && pipeline.identity !== undefined) {\n' +
      '    stampBatch(next.bytes, pipeline.identity, pipeline.nextSequence);\n' +
      '    pipeline.nextSequence = (pipeline.nextSequence + next.recordCount) % sequenceModulus;\n' +
      '  }\n' +
      '  pipeline.cursor++;\n  next.sentInAttempt',
    checks: [tests(sending, 'a lost answer is settled by sending the same bytes again')],
    bySimulation: {},
  },
  {
    id: 'C6',
    row: 'client retry',
    title: 'a gap is blamed on the batch although an older one is still under way',
    file: `${producer}/judge.ts`,
    find: "    case 'OUT_OF_ORDER_SEQUENCE':\n      if (!facts.wasOldest) return 'again';\n",
    replace: "    case 'OUT_OF_ORDER_SEQUENCE':\n",
    checks: [tests('unit/client/judge', 'a gap behind an older batch')],
  },
  {
    id: 'C7',
    row: 'client retry',
    title: 'a duplicate whose offset is forgotten is told to the caller as a failure',
    file: `${producer}/judge.ts`,
    find: "  if (error.code === 'DUPLICATE_SEQUENCE') return 'forgotten-duplicate';\n",
    replace: "  if (error.code === 'DUPLICATE_SEQUENCE' && !facts.wasOldest) return 'forgotten-duplicate';\n",
    checks: [tests(sending, 'an answer that the broker has forgotten the offset of')],
  },
  {
    id: 'C8',
    row: 'client retry',
    title: 'only the failed batch is sent again, behind those that follow it',
    file: `${producer}/pipeline.ts`,
    find: '  pipeline.attempt++;\n  pipeline.cursor = 0;\n',
    replace: '  pipeline.attempt++;\n  pipeline.cursor = Math.max(0, pipeline.sent.length - 1);\n',
    checks: [tests(sending, 'batches behind a refused one are sent again in order')],
  },
  {
    id: 'C9',
    row: 'client retry',
    title: 'what was sent behind a batch of unknown fate is written again under the next epoch',
    file: `${producer}/settle.ts`,
    find: 'if (!isCertain && state.settings.idempotent) {',
    replace: 'if (!isCertain && !state.settings.idempotent) {',
    checks: [tests('unit/client/uncertain-batches', 'what was sent behind a batch of unknown fate')],
  },
  {
    id: 'C10',
    row: 'client retry',
    title: 'the next epoch goes on with the old sequence',
    file: `${producer}/pipeline.ts`,
    find: '  pipeline.nextSequence = 0;\n  for (const batch',
    replace: '  for (const batch',
    checks: [tests('unit/client/judge', 'sequences follow each other'), tests(sending, 'starts a new epoch')],
  },
  {
    id: 'C11',
    row: 'client retry',
    title: 'the buffer of a batch goes back to the pool when it is sent, not when it is settled: a retry carries other records',
    file: `${producer}/sender.ts`,
    find: '{ batch, attempt, wasOldest, leader }, reply);\n  });\n',
    replace: '{ batch, attempt, wasOldest, leader }, reply);\n  });\n  state.freeBuffers.push(batch.buffer);\n',
    checks: [tests(sending, 'retries'), tests('property/client-producer')],
  },
  {
    id: 'C12',
    row: 'client reads',
    title: 'the record at the high watermark is taken, too (off by one)',
    file: 'client/src/consumer/accept.ts',
    find: 'if (end > answer.highWatermark) {',
    replace: 'if (end - 1 > answer.highWatermark) {',
    checks: [tests('unit/client/end-of-partition', 'the offset of the high watermark itself')],
  },
  {
    id: 'C13',
    row: 'client reads',
    title: 'a gap between batches is skipped in silence',
    file: 'client/src/consumer/accept.ts',
    find: ': header.baseOffset === wanted;',
    replace: ': header.baseOffset >= wanted;',
    checks: [tests('unit/client/consumer', 'an answer that')],
  },
  {
    id: 'C14',
    row: 'client reads',
    title: 'a consumer at the end loses its place when a new leader does not know that end yet',
    file: 'client/src/consumer/reader.ts',
    find: '  if (reader.nextOffset >= earliest && reader.nextOffset <= latest) {',
    replace: '  if (reader.nextOffset >= earliest && reader.nextOffset < latest) {',
    checks: [tests('unit/client/end-of-partition', 'a consumer at the end keeps its place')],
  },
];
