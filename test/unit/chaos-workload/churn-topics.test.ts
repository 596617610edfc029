/** Whoever creates and deletes a topic claims only what is certain. */
import { setTimeout as delay } from 'node:timers/promises';
import { checkHistory } from '@balsa/chaos/history/check-history.ts';
import { createChance } from '@balsa/chaos/nemesis/chance.ts';
import { churnedTopic, runChurn } from '@balsa/chaos/workload/churn-topics.ts';
import { connect } from '@balsa/client';
import { expect, test } from 'vitest';
import { systemClock } from '../../../client/src/ports/system.ts';
import { until } from '../../integration/fixture/until.ts';
import { createFakeCluster, type FakeCluster } from '../client/fake-broker.ts';
import { startFakeServers } from '../client/fake-server.ts';
import { type FakeRun, fakeRun } from './fake-run.ts';

type Step = 'create' | 'remove' | 'list';
const dice: readonly Step[] = ['create', 'remove', 'list'];

/** Plays the steps; the first is always a creation. `beforeStep` gets the number of each. */
async function play(
  steps: readonly Step[],
  beforeStep: (cluster: FakeCluster, number: number) => void = () => undefined,
): Promise<FakeRun> {
  const cluster = createFakeCluster(systemClock);
  const servers = await startFakeServers(cluster);
  const run = fakeRun(servers.addresses.join(','));
  const balsa = await connect(servers.addresses, { requestTimeout: '1s', timeout: '30s' });
  let number = 0;
  beforeStep(cluster, 0);
  const random = {
    ...createChance(1),
    below: (max: number) => {
      if (max !== dice.length) return 0;
      number += 1;
      beforeStep(cluster, number);
      return dice.indexOf(steps[number] ?? 'list');
    },
  };
  const crew = { ...run.crew, random };
  const running = runChurn(crew, balsa, 'churn', cluster.nodes.size);
  await until('all steps', () => number >= steps.length || delay(1).then(() => false));
  crew.stop.abort();
  await running;
  await balsa.close();
  servers.stop();
  return run;
}

test('a name of its own', () => {
  expect(churnedTopic(['orders'])).toBe('churn');
  expect(churnedTopic(['churn', 'churn-'])).toBe('churn--');
});

test('in calm everything is certain', async () => {
  const { outcomes, history } = await play(['create', 'list', 'remove', 'create', 'remove', 'list']);
  expect(outcomes('create-topic')).toEqual(['ok', 'ok']);
  expect(outcomes('delete-topic')).toEqual(['ok', 'ok']);
  expect(checkHistory(history).findings).toEqual([]);
});

test('who finds a topic after an unknown creation does not claim to have created it', async () => {
  // The first creation takes effect and is never answered well; then one is answered badly once, and finds what is there.
  let refusals = 0;
  const { outcomes, history } = await play(['create', 'create', 'remove', 'create'], (cluster, number) => {
    refusals = number === 0 ? Infinity : number === 1 ? 1 : 0;
    cluster.hooks.onUnary = (path) => {
      if (!path.endsWith('CreateTopic') || refusals === 0) return undefined;
      refusals -= 1;
      return { code: 'TIMEOUT', message: '', leaderNodeId: 0, leaderTerm: 0 };
    };
  });
  expect(outcomes('create-topic')).toEqual(['info TIMEOUT', 'info TOPIC_EXISTS', 'ok']);
  expect(outcomes('delete-topic')).toEqual(['ok']);
  expect(checkHistory(history).findings).toEqual([]);
});
