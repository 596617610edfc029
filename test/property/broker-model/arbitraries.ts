/** Which commands there are, how often, and with what. Smaller means simpler, for the shrinker. */
import fc from 'fast-check';
import type { ModelCommand } from './command.ts';
import { alterRetention, createJobs, deleteJobs, setReplicas, transfer } from './commands/administer.ts';
import { cut, heal, isolate, reset, tick } from './commands/network.ts';
import { end, pause, powerOffAll, restart, restartAll, resume, stop } from './commands/processes.ts';
import { produce, type ProduceOptions } from './commands/produce.ts';
import { fetch, offsets } from './commands/read.ts';
import type { Endpoint, Place } from './model.ts';
import type { Setup } from './real.ts';

const nodesMax = 5;

export const setups: fc.Arbitrary<Setup> = fc.record({
  // No seed is simpler than another.
  seed: fc.noShrink(fc.integer({ min: 1, max: 2 ** 31 - 1 })),
  nodes: fc.constantFrom(3, 3, 4, 5),
  powerLossAtEnd: fc.boolean(),
});

const node = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 3 }) },
  { weight: 1, arbitrary: fc.integer({ min: 4, max: nodesMax }) },
);
const place: fc.Arbitrary<Place> = fc.constantFrom(
  { topic: 'orders', partition: 0 },
  { topic: 'orders', partition: 0 },
  { topic: 'orders', partition: 1 },
  { topic: 'logs', partition: 0 },
  { topic: 'jobs', partition: 0 },
);
const wait = fc.constantFrom<ProduceOptions['wait']>('answer', 'answer', 'answer', 'lost answer', 'lost answer', 0, 1, 5, 30);
const records = fc.integer({ min: 1, max: 4 });
const paddingBytes = fc.constantFrom(0, 40, 300);

const idempotent = fc
  .record({
    place,
    acks: fc.constantFrom('quorum' as const, 'quorum' as const, 'quorum' as const, 'leader' as const),
    records,
    paddingBytes,
    wait,
  })
  .map((parts) => produce({ ...parts.place, ...parts, idempotent: true }));
const plain = fc
  .record({ place, acks: fc.constant('quorum' as const), records, paddingBytes, wait })
  .map((parts) => produce({ ...parts.place, ...parts, idempotent: false }));
/** Enough for retention to have something to remove. */
const bulk = fc.integer({ min: 3, max: 12 }).map((count) => produce({ ...bulkPlace, ...bulkParts, records: count }));
const bulkPlace = { topic: 'logs', partition: 0 };
const bulkParts = { acks: 'quorum', idempotent: true, paddingBytes: 300, wait: 'answer' } as const;

const endpoint: fc.Arbitrary<Endpoint> = fc.oneof({ weight: 3, arbitrary: node }, { weight: 1, arbitrary: fc.constant('writer' as const) });
const ending = fc.constantFrom('kill' as const, 'powerOff' as const);
const someOf = (max: number) => fc.uniqueArray(fc.integer({ min: 1, max }), { minLength: 2, maxLength: 4 });
const wanted = fc.oneof({ weight: 3, arbitrary: someOf(3) }, { weight: 1, arbitrary: someOf(nodesMax) });

/** One entry is one ticket of the lottery. */
const tickets: readonly (readonly [tickets: number, arbitrary: fc.Arbitrary<ModelCommand>])[] = [
  [8, idempotent],
  [4, plain],
  [2, bulk],
  [4, fc.tuple(place, fc.integer({ min: 0, max: 100 })).map(([where, percent]) => fetch(where, percent))],
  [3, fc.constantFrom('orders', 'logs', 'jobs').map(offsets)],
  [2, node.map((which) => end('kill', which))],
  [2, node.map((which) => end('powerOff', which))],
  [1, node.map(stop)],
  [3, node.map(restart)],
  [2, ending.map(restartAll)],
  [1, fc.constant(powerOffAll())],
  [3, fc.tuple(endpoint, endpoint, fc.boolean()).map(([from, to, bothWays]) => cut(from, to, bothWays))],
  [1, node.map(isolate)],
  [4, fc.constant(heal())],
  [1, node.map(reset)],
  [2, node.map(pause)],
  [5, fc.constant(resume())],
  [3, fc.constantFrom(1, 10, 100, 500, 1500).map(tick)],
  [3, fc.tuple(place, node).map(([where, to]) => transfer(where, to))],
  [3, fc.tuple(place, wanted).map(([where, replicas]) => setReplicas(where, replicas))],
  [2, fc.constantFrom(undefined, 1000, 3000).map(alterRetention)],
  [4, fc.constant(createJobs())],
  [4, fc.constant(deleteJobs())],
];

export const commands = (maxCommands: number, replayPath: string | undefined): fc.Arbitrary<Iterable<ModelCommand>> =>
  // Without the usual bias towards short sequences.
  fc.noBias(
    fc.commands(
      tickets.flatMap(([count, arbitrary]) => Array.from({ length: count }, () => arbitrary)),
      { maxCommands, size: 'max', ...(replayPath === undefined ? {} : { replayPath }) },
    ),
  );
