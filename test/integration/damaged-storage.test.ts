/**
 * Damaged, foreign and used data folders. A node never silently gives up what it may have
 * acknowledged: it goes on only if it can prove that nothing is missing, and says so otherwise.
 * The other two brokers serve all the while.
 */
import { type Balsa, text } from '@balsa/client';
import { exitCodes } from '@balsa/node/assembly/exit-code.ts';
import { brokerArguments } from '@balsa/node/local-cluster/broker-arguments.ts';
import type { LocalCluster, LocalNode } from '@balsa/node/local-cluster/local-cluster.ts';
import { cpSync, readdirSync, rmSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { anyPorts, expectStartFailure, runBroker } from './fixture/broker-run.ts';
import { cleanUp, temporaryFolder } from './fixture/clean-up.ts';
import { endOfJournal, findInJournal, overwrite } from './fixture/journal-files.ts';
import { connectTo, killNode, restart, startTestCluster, untilCaughtUp } from './fixture/test-cluster.ts';
import { until } from './fixture/until.ts';

const topic = 'kept';
const recordCount = 60;
const garbageBytes = 200;
const values: string[] = [];

let cluster: LocalCluster;
let balsa: Balsa;
/** The node whose folder is damaged. */
let patient: LocalNode;
beforeAll(async () => {
  cluster = await startTestCluster();
  balsa = await connectTo(cluster);
  await balsa.admin.topics.create(topic, { partitions: 1, replicas: 3 });
  // The metadata leader and preferred leaders are the first nodes.
  patient = cluster.nodes[2]!;
  await send(recordCount);
  await untilCaughtUp(cluster, balsa, topic);
});
afterAll(cleanUp);

/** One batch per record, so that damage of one is damage of one. */
async function send(count: number): Promise<void> {
  await using producer = balsa.topic(topic, { value: text }).producer();
  for (let i = 0; i < count; i += 1) {
    const value = `<value-${values.length}>`.padEnd(300, '.');
    await producer.send({ value });
    values.push(value);
  }
}

async function read(): Promise<readonly (string | null)[]> {
  await using consumer = balsa.topic(topic, { value: text }).consumer({ from: 'earliest', until: 'latest' });
  const found: (string | null)[] = [];
  for await (const { value } of consumer) found.push(value);
  return found;
}

/** The other brokers take and give records. */
async function expectOthersServe(): Promise<void> {
  await send(1);
  expect(await read()).toEqual(values);
}

/** The node has everything: it leads, and everything is read from it. */
async function expectHasEverything(node: LocalNode): Promise<void> {
  await untilCaughtUp(cluster, balsa, topic);
  const leader = async () => (await balsa.admin.topics.describe(topic)).partitions[0]!;
  let found: readonly (string | null)[] = [];
  // Leadership may move back to a preferred replica in between: then what was read says nothing.
  await until(`everything is read while node ${node.id} leads`, async () => {
    const { groupId, leader: current } = await leader();
    if (current !== node.id) await balsa.admin.raft.transfer(groupId, { to: node.id }, { timeout: '5s' });
    found = await read();
    return (await leader()).leader === node.id;
  });
  expect(found).toEqual(values);
}

/** Those of the patient, with other ports, so that only its folder can be what is wrong. */
const ownArguments = (): readonly string[] => [...brokerArguments(patient.id, patient.dir, cluster.nodes), ...anyPorts];

const toldDamages = (): number => readFileSync(patient.logFile, 'utf8').split('journal: group-faulty').length - 1;

/** Every file with its size and the time of its last change. */
const contents = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => path.join(parentPath, name))
    .map((file) => `${file} ${statSync(file).size} ${statSync(file).mtimeMs}`)
    .toSorted();

test('a folder in use: DATA_LOCKED, and its owner does not notice', async () => {
  expectStartFailure(await runBroker(ownArguments()), 'DATA_LOCKED', [
    patient.dir,
    'in use by another process',
    'Stop it, or choose another folder',
  ]);
  await expectHasEverything(patient);
});

describe('a folder that a node refuses, and leaves as it is', () => {
  beforeAll(() => killNode(patient));
  afterAll(async () => {
    await restart(cluster, patient);
    await expectHasEverything(patient);
  });

  async function expectRefused(
    name: Parameters<typeof expectStartFailure>[1],
    facts: readonly string[],
    args = ownArguments(),
  ): Promise<void> {
    const before = contents(patient.dir);
    expectStartFailure(await runBroker(args), name, facts);
    expect(contents(patient.dir)).toEqual(before);
    await expectOthersServe();
  }

  test('that of another node: DATA_FOREIGN', async () => {
    const args = [...brokerArguments(2, patient.dir, cluster.nodes), ...anyPorts];
    await expectRefused('DATA_FOREIGN', ['belongs to node 3, not to node 2', 'point the node to its own folder'], args);
  });

  test('with a damaged frame in the middle of which nobody knows what it was: DATA_CORRUPT', async () => {
    const { file, at } = findInJournal(patient.dir, `<value-${recordCount / 2}>`);
    // The head of a frame, before its value, says what the frame is.
    onTestFinished(overwrite({ file, at: at - garbageBytes }, Buffer.alloc(garbageBytes, 0xa5)));
    await expectRefused('DATA_CORRUPT', [path.basename(file), 'Nothing was changed', 'Restore the file']);
  });

  test('without one of its segments: DATA_CORRUPT', async () => {
    const { file } = findInJournal(patient.dir, `<value-${recordCount / 2}>`);
    const aside = path.join(temporaryFolder(), 'segment');
    renameSync(file, aside);
    onTestFinished(() => renameSync(aside, file));
    await expectRefused('DATA_CORRUPT', [path.basename(file), 'Nothing was changed']);
  });
});

/** Runs `action` while the patient has the folder of a node of another cluster, then gives it its own back. */
async function withFolderOf(other: LocalCluster, foreign: LocalNode, action: () => Promise<void>): Promise<void> {
  await other.stop();
  await killNode(patient);
  const own = path.join(temporaryFolder(), 'own');
  renameSync(patient.dir, own);
  cpSync(foreign.dir, patient.dir, { recursive: true });
  try {
    patient.start();
    await action();
    await expectOthersServe();
  } finally {
    await killNode(patient);
    rmSync(patient.dir, { recursive: true });
    renameSync(own, patient.dir);
  }
  await restart(cluster, patient);
  await expectHasEverything(patient);
}

test('a folder of a cluster with the same members: its node and the others refuse each other and say why', async () => {
  const other = await startTestCluster({ nodes: 3 });
  const { clusterId } = await connectTo(other);
  const refusal = `node ${patient.id} belongs to cluster ${clusterId}, node`;
  await withFolderOf(other, other.nodes[patient.id - 1]!, async () => {
    for (const node of cluster.nodes.filter(({ id }) => id !== patient.id)) {
      await until(`node ${node.id} refuses`, () =>
        readFileSync(node.logFile, 'utf8').includes(`${refusal} ${node.id} to cluster ${balsa.clusterId}`),
      );
    }
  });
});

test('a folder of a cluster with other members: DATA_FOREIGN, instead of serving that cluster alone', async () => {
  const other = await startTestCluster({ nodes: 1, flags: ['--node.id', `${patient.id}`, '--cluster.members', ''] });
  await connectTo(other);
  await withFolderOf(other, other.nodes[0]!, async () => {
    expect(await patient.stopped).toMatchObject({ code: exitCodes.DATA_FOREIGN.code });
    expect(readFileSync(patient.logFile, 'utf8')).toContain('DATA_FOREIGN');
  });
});

describe('a folder with which a node can go on', () => {
  test('torn tail: it was never acknowledged; the node starts and has everything', async () => {
    await killNode(patient);
    const end = endOfJournal(patient.dir);
    overwrite({ ...end, at: end.at + garbageBytes }, Buffer.alloc(garbageBytes, 0xa5));
    await send(5);
    await restart(cluster, patient);
    expect(readFileSync(patient.logFile, 'utf8')).toContain('journal: torn-tail');
    await expectHasEverything(patient);
  });

  test('unreadable state store: it is made again from the journal', async () => {
    await killNode(patient);
    const folder = path.join(patient.dir, 'state');
    for (const name of readdirSync(folder)) writeFileSync(path.join(folder, name), 'not what RocksDB wrote');
    await restart(cluster, patient);
    expect(readFileSync(patient.logFile, 'utf8')).toContain('made again from the journal');
    await expectHasEverything(patient);
  });

  test('damaged value: the replica is set aside, told, and never served, and gets the value from the others', async () => {
    await killNode(patient);
    overwrite(findInJournal(patient.dir, `<value-${recordCount / 2}>`), Buffer.from('X'));
    const damagesBefore = toldDamages();
    patient.start();
    await until('the damage is told', () => toldDamages() > damagesBefore);
    await expectOthersServe();
    await cluster.waitReady();
    await expectHasEverything(patient);
  });
});
