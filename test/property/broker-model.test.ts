/**
 * The promises of delivery as a model that clients, operators and faults act upon in every
 * order, against a cluster of whole brokers under a virtual clock.
 *
 *   FC_RUNS=500 npx vitest run --project property broker-model
 *       more runs
 *   FC_SEED=7 FC_PATH=8:2:5 FC_REPLAY_PATH=GBAAu:V npx vitest run --project property broker-model
 *       a failure again, from the seed, the path and the replayPath that it printed
 */
import { asGroupId, type GroupId, metadataGroup } from '@balsa/node/core/ids.ts';
import type { MetadataCommand } from '@balsa/node/core/machines/metadata/command.ts';
import { encodeMetadataCommand } from '@balsa/node/core/machines/metadata/command-codec.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commands, setups } from './broker-model/arbitraries.ts';
import type { ModelCommand } from './broker-model/command.ts';
import { createJobs, deleteJobs, setReplicas, transfer } from './broker-model/commands/administer.ts';
import { heal, isolate } from './broker-model/commands/network.ts';
import { end, endAll, isReady, pause, restartAll, startAll, stop } from './broker-model/commands/processes.ts';
import { produce } from './broker-model/commands/produce.ts';
import { fetch, offsets } from './broker-model/commands/read.ts';
import { play } from './broker-model/play.ts';
import { createRun, type Setup, startCluster } from './broker-model/real.ts';
import { createClient } from '../sim/world/world.ts';

const runsDefault = 40;
const runs = Number(process.env['FC_RUNS'] ?? runsDefault);
const commandsMax = 40;
const { FC_SEED: seed, FC_PATH: path, FC_REPLAY_PATH: replayPath } = process.env;
const minuteMs = 60_000;
/** Time for the shrinker; what it has found by then is printed. */
const limitMs = 10 * minuteMs + runs * 1000;

/** What takes effect in a hundred runs, about. */
const usual: Readonly<Record<string, number>> = {
  AlterRetention: 45,
  CreateTopic: 50,
  Cut: 60,
  'Cut of the writer': 30,
  DeleteTopic: 19,
  Heal: 30,
  Isolate: 24,
  Kill: 95,
  Pause: 34,
  PowerOff: 400,
  PowerOffAll: 29,
  Reset: 31,
  Restart: 200,
  RestartAll: 51,
  Resume: 12,
  SetReplicas: 27,
  Stop: 17,
  Tick: 87,
  Transfer: 32,
  'call without a majority': 156,
  fetch: 69,
  'fetch cut short': 25,
  'fetch of records': 24,
  'member added': 10,
  'member removed': 20,
  offsets: 46,
  'records removed by retention': 9,
  'repeated request': 99,
  'send idempotent quorum fail': 43,
  'send idempotent quorum info': 17,
  'send idempotent quorum ok': 476,
  'send idempotent leader ok': 32,
  'send non-idempotent quorum info': 15,
  'send non-idempotent quorum ok': 69,
  'unknown, absent': 84,
  'unknown, present': 20,
};
/** A tenth of that is asked for: chance alone does not bring less. */
const leastOf = (times: number): number => Math.floor((times * runs) / 100 / 10);

test(
  'what was acknowledged is there, once, in order, whatever happened meanwhile',
  async () => {
    const took = new Map<string, number>();
    const count = (what: string): void => void took.set(what, (took.get(what) ?? 0) + 1);
    await fc.assert(
      fc.asyncProperty(setups, commands(commandsMax, replayPath), async (setup, sequence) => {
        await play(setup, sequence, count);
      }),
      {
        numRuns: runs,
        interruptAfterTimeLimit: limitMs,
        ...(seed === undefined ? {} : { seed: Number(seed) }),
        ...(path === undefined ? {} : { path }),
      },
    );
    if (process.env['FC_COUNTS'] !== undefined)
      console.info(Object.fromEntries([...took].toSorted(([one], [other]) => (one < other ? -1 : 1))));
    if (runs < runsDefault || path !== undefined) return;
    // Sequences in which nothing happens prove nothing.
    for (const [what, times] of Object.entries(usual)) expect(took.get(what) ?? 0, what).toBeGreaterThanOrEqual(leastOf(times));
  },
  limitMs + minuteMs,
);

test('equal commands and an equal seed give equal runs', async () => {
  for (const [setup, sequence] of fc.sample(fc.tuple(setups, commands(commandsMax, undefined)), { seed: 12, numRuns: 2 })) {
    const sequences = [...sequence];
    const first = await play(setup, sequences, () => {});
    expect(await play(setup, sequences, () => {})).toEqual(first);
  }
});

const orders = { topic: 'orders', partition: 0 };
const one = { acks: 'quorum', idempotent: true, records: 1, paddingBytes: 0, wait: 'answer' } as const;
const playAll = (setup: Omit<Setup, 'powerLossAtEnd'>, ...sequence: ModelCommand[]) =>
  play({ ...setup, powerLossAtEnd: false }, sequence, () => {});

/** What the first client is told after all nodes were down. */
async function topicsAfterRestart(setup: Setup): Promise<readonly string[]> {
  const { run, trace } = createRun(setup);
  const { model, real } = await startCluster(setup, run, trace, () => {});
  await produce({ ...orders, ...one }).run(model, real);
  await createJobs().run(model, real);
  endAll(model, real);
  startAll(model, real);
  await real.clock.until('all nodes are ready', () => real.world.nodes.every(isReady), 10_000);
  const asker = await real.clock.settle('a client connects', createClient(real.world, 'asker').connect(), 10_000);
  const found = await real.clock.settle('it asks', asker.admin.topics.list(), 10_000);
  return found.map(({ name }) => name);
}

/** Group of the first partition that is made after those of the model. */
const nextGroup = asGroupId(4);

/** A partition of two replicas is made and told to move in one breath: no node hears of it before it has moved. Who votes in the end. */
async function movedAtBirth(setup: Setup, replicas: readonly number[]): Promise<readonly number[]> {
  const { run, trace } = createRun(setup);
  const { real } = await startCluster(setup, run, trace, () => {});
  const hosts = () => real.world.nodes.flatMap(({ life }) => life?.host ?? []);
  const leading = (group: GroupId) => hosts().find((host) => host.status(group)?.role === 'leader');
  const host = leading(metadataGroup);
  if (host === undefined) throw new Error('no leader of the metadata');
  const orders: readonly MetadataCommand[] = [
    { type: 'create-topic', name: 'jobs', partitions: 1, replicationFactor: 2, config: {} },
    { type: 'set-replicas', group: nextGroup, replicas },
  ];
  const options = { durability: 'quorum', timeoutMs: 10_000 } as const;
  const proposed = Promise.all(orders.map((order) => host.propose(metadataGroup, encodeMetadataCommand(order), options)));
  await real.clock.settle('it is made and moved', proposed, 10_000);
  const voters = (): readonly number[] => [...(leading(nextGroup)?.status(nextGroup)?.membership.voters ?? [])].toSorted((a, b) => a - b);
  const isOver = (): boolean => String(voters()) === String(replicas);
  await real.clock.until('it has moved', isOver, 30_000).catch(() => undefined);
  return voters();
}

const jobs = { topic: 'jobs', partition: 0 };

describe('sequences that once failed', () => {
  test('voters that shall move away are still there after a restart of all', async () => {
    await playAll({ seed: 8, nodes: 4 }, setReplicas(orders, [4, 1]), produce({ ...orders, ...one }), restartAll('kill'));
  });

  test('a call ends within its time-out although it looks for a leader among brokers that do not answer', async () => {
    await playAll({ seed: 834887871, nodes: 3 }, createJobs(), fetch(jobs, 0), pause(2), stop(1), offsets('jobs'));
  });

  test('a replica is not removed for a change of members that is not committed', async () => {
    const last = { topic: 'orders', partition: 1 };
    const three = { ...one, records: 3, paddingBytes: 40 };
    await playAll(
      { seed: 1155674086, nodes: 3 },
      isolate(1),
      produce({ ...orders, ...three }),
      stop(2),
      setReplicas(last, [2, 1]),
      heal(),
      createJobs(),
      produce({ topic: 'logs', partition: 0, ...three, paddingBytes: 300 }),
      setReplicas(last, [1, 3]),
      offsets('orders'),
    );
  });

  test('a client asks again the brokers that were silent when the only one that answers knows nothing', async () => {
    await playAll({ seed: 2064693979, nodes: 5 }, pause(3), pause(1), pause(5), produce({ ...orders, ...one }), transfer(orders, 1));
  });

  test('a topic that was deleted is not born again', async () => {
    await playAll({ seed: 1286392824, nodes: 3 }, createJobs(), deleteJobs(), end('kill', 3));
  });

  // Not every seed gives the office to a node that has not applied the creation yet.
  test('a new metadata leader does not deny topics that were acknowledged', async () => {
    for (let seed = 1; seed <= 40; seed++) expect(await topicsAfterRestart({ seed, nodes: 3, powerLossAtEnd: true })).toContain('jobs');
  });

  test.each([
    [1, 2],
    [1, 3],
    [1, 4],
    [2, 3],
    [2, 4],
    [3, 4],
  ])('a partition that shall move to %i and %i before anybody has opened it is founded nevertheless', async (...replicas) => {
    expect(await movedAtBirth({ seed: 3, nodes: 4, powerLossAtEnd: true }, replicas)).toEqual(replicas);
  });

  test('a member that was removed does not wait for a leader', async () => {
    await playAll({ seed: 2147483635, nodes: 5 }, setReplicas(orders, [3, 2]), produce({ ...orders, ...one }), offsets('orders'));
  });
});
