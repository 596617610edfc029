/**
 * Damage to the disks of real brokers. A cluster whose nodes are all damaged, each in other
 * entries, heals itself; a node that has lost what it may have promised does not
 * pretend, and the other two serve all the while.
 */
import path from 'node:path';
import { type ChaosCluster, startChaosCluster } from '@balsa/chaos/cluster/chaos-cluster.ts';
import type { ChaosNode } from '@balsa/chaos/cluster/chaos-node.ts';
import { truncateMiddle, zeroPage } from '@balsa/chaos/damage/byte-damage.ts';
import { type Damage, stoppedFolder } from '@balsa/chaos/damage/damage.ts';
import { foreignData, restoreBackup, staleState, takeBackup, wipeData, wipeState } from '@balsa/chaos/damage/folder-damage.ts';
import { damageInHelix } from '@balsa/chaos/damage/helix.ts';
import { pickSegment } from '@balsa/chaos/damage/segment-damage.ts';
import { exitCodes } from '@balsa/node/assembly/exit-code.ts';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRng } from '../unit/journal/journal-fixture.ts';
import { cleanUp, onCleanUp, temporaryFolder } from './fixture/clean-up.ts';
import { type TopicUnderFire, topicUnderFire } from './fixture/topic-under-fire.ts';
import { until } from './fixture/until.ts';

const hitsPerNode = 8;

let cluster: ChaosCluster;
let topic: TopicUnderFire;
beforeAll(async () => {
  cluster = await startChaosCluster({ nodes: 3, folder: temporaryFolder() });
  onCleanUp(cluster.stop);
  topic = await topicUnderFire(cluster, 'damaged');
  await topic.produce(80);
});
afterAll(cleanUp);

function seeded(seed: number) {
  const next = createRng(seed);
  return { below: (exclusiveMax: number): number => Math.floor(next() * exclusiveMax) };
}

const logOf = ({ logFile }: ChaosNode): string => readFileSync(logFile, 'utf8');
const toldDamages = (node: ChaosNode): number => logOf(node).split('journal: group-faulty').length - 1;

async function expectWhole(): Promise<void> {
  await cluster.untilReady(cluster.nodes);
  await topic.untilAllAgree();
  await topic.produce();
  expect(await topic.read()).toEqual(topic.acked);
}

test('helix: every node has lost other entries; together they have everything, and each gets its own back', async () => {
  await topic.untilAllAgree();
  await Promise.all(cluster.nodes.map((node) => node.stop()));
  const damages = damageInHelix(cluster.nodes.map(stoppedFolder), { random: seeded(11), hitsPerNode });
  expect(cluster.nodes.map(({ id }) => damages.filter(({ node }) => node === id - 1).length)).toEqual(cluster.nodes.map(() => hitsPerNode));
  for (const node of cluster.nodes) node.start();
  for (const node of cluster.nodes) await until(`node ${node.id} tells of its damage`, () => toldDamages(node) > 0);
  await expectWhole();
});

describe('one node', () => {
  let patient: ChaosNode;
  /** The node's folder some records ago. */
  let backup: string;
  /** The node's folder as it was before it was struck. */
  let own: string;
  beforeAll(async () => {
    patient = cluster.node(3);
    [backup, own] = [path.join(temporaryFolder(), 'backup'), path.join(temporaryFolder(), 'own')];
    await patient.stop();
    takeBackup(stoppedFolder(patient), backup);
    patient.start();
    await expectWhole();
    await topic.produce(5);
  });

  /** Damaged, the node starts while the others serve. Returns all that its process says from then on. */
  async function startStruck(strike: (dataDir: string) => Damage): Promise<() => string> {
    await patient.stop();
    takeBackup(stoppedFolder(patient), own);
    const damage = strike(stoppedFolder(patient));
    expect(damage.before).not.toBe(damage.after);
    const from = logOf(patient).length;
    patient.start();
    await topic.produce(3);
    return () => logOf(patient).slice(from);
  }

  /** The others have everything; and so has the node when it gets its own folder back. */
  async function giveBack(): Promise<void> {
    expect(await topic.read()).toEqual(topic.acked);
    await patient.kill();
    restoreBackup(stoppedFolder(patient), own);
    patient.start();
    await expectWhole();
  }

  test.each<[string, (dataDir: string) => Damage]>([
    ['RocksDB wiped', wipeState],
    ['RocksDB older than the journal', (dataDir) => staleState(dataDir, backup)],
    ['an old backup, while the others have what it forgot', (dataDir) => restoreBackup(dataDir, backup)],
  ])('%s: goes on', async (_, strike) => {
    await startStruck(strike);
    await expectWhole();
  });

  test.each<[string, keyof typeof exitCodes, (dataDir: string) => Damage]>([
    ['a page of zeros in the journal', 'DATA_CORRUPT', (dataDir) => zeroPage(pickSegment(dataDir, seeded(3)), seeded(4))],
    ['a segment cut short', 'DATA_CORRUPT', (dataDir) => truncateMiddle(pickSegment(dataDir, seeded(3)), seeded(4))],
    ['the folder of another node', 'DATA_FOREIGN', (dataDir) => foreignData(dataDir, cluster.node(1).dir)],
  ])('%s: refuses to start, says %s, and goes on with its own folder', async (_, name, strike) => {
    const said = await startStruck(strike);
    await until('its end', () => patient.state() === 'down');
    expect(patient.endings().at(-1)).toMatchObject({ code: exitCodes[name].code, expected: false });
    expect(said()).toContain(name);
    await giveBack();
  });

  test('an empty folder under the same id: its peers refuse it', async () => {
    const said = await startStruck(wipeData);
    await until('their refusal', () => said().includes('is registered with data folder'));
    expect(await patient.isReady()).toBe(false);
    await giveBack();
  });
});
