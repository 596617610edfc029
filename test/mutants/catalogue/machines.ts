/** Bugs of the partition machine: offsets, and the table that recognises repeated batches. */
import type { Mutant } from '../patch.ts';
import { tests } from '../patch.ts';

const partition = 'node/src/core/machines/partition';
const again = 'unit/machines/partition-machine';

export const machineMutants: readonly Mutant[] = [
  {
    id: 'B20',
    row: 'B20',
    title: 'a node that comes back with an empty data folder is taken under its old id',
    file: 'node/src/core/machines/metadata/apply-cluster.ts',
    find: '  if (known.storeId === node.storeId) return undefined;\n',
    replace: "  if (known.storeId !== '') return undefined;\n",
    checks: [
      tests('unit/broker/cluster-and-topics', 'a node that comes back with another data folder'),
      tests('unit/machines/metadata-machine'),
    ],
  },
  {
    id: 'B24',
    row: 'B24',
    title: 'the producer table is written to snapshots but not read from them',
    file: `${partition}/state-codec.ts`,
    find: '    producers.set(producerId, producer);\n',
    replace: '',
    checks: [tests(again, 'gets it from a leader that started from a snapshot')],
  },
  {
    id: 'B24b',
    row: 'B24',
    title: 'one batch less is remembered than producers keep in flight',
    file: `${partition}/producer.ts`,
    find: 'known.window.slice(1 - producerWindowBatches)',
    replace: 'known.window.slice(2 - producerWindowBatches)',
    checks: [tests(again, 'gets its original offset while it is among the last five')],
  },
  {
    id: 'B24c',
    row: 'B24',
    title: 'the producer that was seen first is forgotten, not the one that was idle longest',
    file: `${partition}/producer-table.ts`,
    find: '  table.delete(producerId);\n  table.set(producerId, producer);\n',
    replace: '  table.set(producerId, producer);\n',
    checks: [tests(again, 'by number: who appended longest ago')],
  },
  {
    id: 'B24d',
    row: 'B24',
    title: 'batches are applied without asking the producer table: a retry is written once more',
    file: `${partition}/producer.ts`,
    find: "if (original !== undefined) return { kind: 'duplicate', baseOffset: original.baseOffset };",
    replace: 'if (original !== undefined) return append;',
    checks: [
      tests(again, 'gets its original offset while it is among the last five'),
      tests('property/machines-partition', 'a batch has one offset'),
    ],
    bySimulation: {},
  },
  {
    id: 'P1',
    row: 'producer table',
    title: 'a repeated batch is recognised by its first sequence alone: a re-batched retry loses records',
    file: `${partition}/producer.ts`,
    find: 'batch.firstSequence === facts.baseSequence && batch.lastSequence === last);',
    replace: 'batch.firstSequence === facts.baseSequence && last >= 0);',
    checks: [tests(again, 'is not taken for a retry if its boundaries differ')],
  },
  {
    id: 'P2',
    row: 'producer table',
    title: 'a gap in the sequences is accepted: a lost batch goes unnoticed',
    file: `${partition}/producer.ts`,
    find: 'if (facts.baseSequence === nextSequence(known)) return append;',
    replace: 'if (sequenceDistance(nextSequence(known), facts.baseSequence) < 1000) return append;',
    checks: [tests(again, 'are not taken by refused or repeated batches'), tests('property/machines-partition', 'a batch has one offset')],
  },
  {
    id: 'P3',
    row: 'producer table',
    title: 'a producer of an older epoch is not fenced',
    file: `${partition}/producer.ts`,
    find: 'if (facts.producerEpoch < known.epoch) return refuseFenced(known, facts);',
    replace: 'if (facts.producerEpoch < known.epoch - 1) return refuseFenced(known, facts);',
    checks: [tests(again, 'starts a newer epoch with sequence 0, which fences the older')],
  },
  {
    id: 'P4',
    row: 'producer table',
    title: 'a duplicate is remembered once more, so that the window forgets a real batch',
    file: `${partition}/partition-machine.ts`,
    find: "  if (verdict.kind === 'duplicate') {\n",
    replace:
      "  if (verdict.kind === 'duplicate') {\n" +
      '    const repeated = { baseOffset: verdict.baseOffset, index: applied.index, stampMs };\n' +
      '    rememberProducer(state.producers, facts.producerId, producerAfter(known, facts, repeated));\n',
    checks: [tests(again, 'leaves no trace')],
  },
  {
    id: 'P5',
    row: 'producer table',
    title: 'sequences do not wrap: a long-lived producer stops at 2^31',
    file: `${partition}/sequence.ts`,
    find: '  return (sequence + count) % modulus;',
    replace: '  return sequence + count;',
    checks: [tests(again, 'between two batches')],
  },
  {
    id: 'P6',
    row: 'producer table',
    title: 'the first batch of an unknown producer is taken whatever its sequence: retries after a purge are duplicates',
    file: `${partition}/producer.ts`,
    find: 'if (known === undefined) return facts.baseSequence === 0 ? append : refuseUnknown(facts);',
    replace: 'if (known === undefined) return append;',
    checks: [tests(again, 'that the partition does not know starts with sequence 0')],
  },
  {
    id: 'P7',
    row: 'producer table',
    title: 'expiry looks at the time of the command, not at log time: replicas and old logs disagree',
    file: `${partition}/partition-machine.ts`,
    find: 'const stampMs = nextStampMs(state, command.stampMs);',
    replace: 'const { stampMs } = command;',
    checks: [tests(again, 'and log time does not run backwards')],
  },
  {
    id: 'V3',
    row: 'visibility',
    title: 'trimming beyond the end of the log is accepted: the log starts after its high watermark',
    file: `${partition}/partition-machine.ts`,
    find: '  if (command.logStart > state.nextOffset) {',
    replace: '  if (command.logStart > state.nextOffset + 1) {',
    checks: [tests(again, 'beyond the end is refused')],
  },
];
