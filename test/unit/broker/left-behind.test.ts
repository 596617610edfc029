/** Which replicas the broker suspects of having been left behind, whom it asks, and what it makes of the answer. */
import { type BrokerState, createBrokerState } from '@balsa/node/broker/broker-state.ts';
import { openMetadata } from '@balsa/node/broker/cluster.ts';
import { findLeftBehind } from '@balsa/node/broker/left-behind.ts';
import { reconcileOnce } from '@balsa/node/broker/reconcile.ts';
import { asGroupId, asNodeId, asRaftIndex, asTerm, metadataGroup, noNode } from '@balsa/node/core/ids.ts';
import type { MetadataCommand } from '@balsa/node/core/machines/metadata/command.ts';
import { encodeMetadataCommand } from '@balsa/node/core/machines/metadata/command-codec.ts';
import { metadataMachine } from '@balsa/node/core/machines/metadata/metadata-machine.ts';
import { allPartitions, type MetadataState } from '@balsa/node/core/machines/metadata/state.ts';
import type { GroupStatus } from '@balsa/node/host/vocabulary.ts';
import { createMemoryStateFolder } from '@balsa/node/storage/state/memory-state-store.ts';
import { expect, test } from 'vitest';
import { createFakeHost } from './fake-host.ts';
import { realClock, testLimits } from './fixture.ts';

const nodes = [1, 2, 3, 4] as const;
let index = 0;

function change(state: MetadataState, command: MetadataCommand): void {
  index += 1;
  const outcome = metadataMachine.apply(state, { index: asRaftIndex(index), term: asTerm(1), payload: encodeMetadataCommand(command) });
  expect(outcome.kind).toBe('ok');
}

/** Four nodes and two partitions, placed on nodes 1, 2 and 3. */
function metadataOfFour(): MetadataState {
  const state = metadataMachine.initial();
  change(state, { type: 'init-cluster', clusterId: 'c' });
  for (const nodeId of [1, 2, 3].map(asNodeId)) {
    change(state, {
      type: 'register-node',
      nodeId,
      storeId: `s${nodeId}`,
      clientAddress: `a:${nodeId}`,
      peerAddress: `b:${nodeId}`,
      httpAddress: '',
      zone: `z${nodeId}`,
    });
  }
  change(state, { type: 'create-topic', name: 'jobs', partitions: 2, replicationFactor: 3, config: {} });
  change(state, {
    type: 'register-node',
    nodeId: asNodeId(4),
    storeId: 's4',
    clientAddress: 'a:4',
    peerAddress: 'b:4',
    httpAddress: '',
    zone: 'z4',
  });
  return state;
}

interface Scene {
  readonly broker: BrokerState;
  readonly questions: string[];
  readonly removed: () => number;
  readonly place: (partition: number, ...replicas: readonly number[]) => void;
  readonly find: () => Promise<number>;
  readonly groupOf: (partition: number) => number;
  answer: boolean;
  /** Changes what the host says of groups that are not the metadata. */
  status: Partial<GroupStatus>;
  metadataApplied: number;
  connected: readonly number[];
}

/** Node 1 holds replicas of both partitions, which know no leader. */
async function scene(): Promise<Scene> {
  const stateStore = await createMemoryStateFolder().open();
  const fake = createFakeHost(1, stateStore);
  const questions: string[] = [];
  const memory = { asked: 0 };
  const events: string[] = [];
  const host: typeof fake = {
    ...fake,
    isConnected: (peer) => it.connected.includes(peer),
    status: (group) => {
      const status = fake.status(group);
      if (status === undefined) return undefined;
      return group === metadataGroup
        ? { ...status, applied: asRaftIndex(it.metadataApplied), last: asRaftIndex(20) }
        : { ...status, leader: noNode, ...it.status };
    },
    wasRemoved: async (group, peer) => {
      questions.push(`${group}@${peer}`);
      return it.answer;
    },
  };
  const broker = createBrokerState({
    host,
    stateStore,
    clock: realClock,
    random: { below: () => 0, hex: (bytes) => 'ab'.repeat(bytes) },
    facts: { nodeId: asNodeId(1), storeId: 's1', clientAddress: 'a:1', peerAddress: 'b:1', httpAddress: '', zone: 'z1' },
    members: nodes.map(asNodeId),
    leaderCalls: {
      registerNode: () => Promise.reject(new Error('unused')),
      allocateProducerIds: () => Promise.reject(new Error('unused')),
    },
    limits: testLimits,
    topicDefaults: { partitions: 1, replicationFactor: 0 },
    maintenance: { retentionCheckMs: 3_600_000, balanceCheckMs: 3_600_000, balanceStableMs: 10_000 },
    observer: { onProduced: () => {}, onFetched: () => {}, onEvent: ({ kind }) => events.push(kind) },
  });
  const groups = (): number[] => [...allPartitions(broker.metadata.state)].map(({ partition }) => partition.groupId);
  const it: Scene = {
    broker,
    questions,
    answer: false,
    status: {},
    metadataApplied: 20,
    connected: [2, 3, 4],
    removed: () => events.filter((kind) => kind === 'group-removed').length,
    groupOf: (partition) => groups()[partition]!,
    place: (partition, ...replicas) =>
      change(broker.metadata.state, { type: 'set-replicas', group: asGroupId(groups()[partition]!), replicas: replicas.map(asNodeId) }),
    find: async () => {
      let rounds = 0;
      await findLeftBehind(broker, memory, () => {
        rounds += 1;
      });
      return rounds;
    },
  };
  await openMetadata(broker);
  broker.metadata.state = metadataOfFour();
  expect(await reconcileOnce(broker)).toBe(true);
  expect(broker.replicas.size).toBe(2);
  return it;
}

test('a replica that is placed elsewhere and knows no leader is asked about, and removed once that is proven', async () => {
  const it = await scene();
  expect(await it.find()).toBe(0);
  it.place(0, 2, 3, 4);
  expect(await reconcileOnce(it.broker)).toBe(true);
  expect(it.broker.replicas.size).toBe(2);
  expect(await it.find()).toBe(0);
  expect(it.questions).toEqual([`${it.groupOf(0)}@2`]);
  it.answer = true;
  expect(await it.find()).toBe(1);
  expect(await reconcileOnce(it.broker)).toBe(true);
  expect([...it.broker.replicas.keys()]).toEqual([it.groupOf(1)]);
  expect(it.removed()).toBe(1);
  expect(await it.find()).toBe(0);
});

test('groups and members are asked in turn', async () => {
  const it = await scene();
  it.place(0, 2, 3, 4);
  it.place(1, 2, 4);
  it.connected = [3, 4];
  const [first, second] = [it.groupOf(0), it.groupOf(1)];
  for (let i = 0; i < 4; i += 1) await it.find();
  expect(it.questions).toEqual([`${first}@3`, `${second}@4`, `${first}@4`, `${second}@4`]);
});

test('nobody is asked while a leader is known, the metadata lags behind, or nobody can be reached', async () => {
  const it = await scene();
  it.place(0, 2, 3, 4);
  it.status = { leader: asNodeId(2) };
  await it.find();
  it.status = {};
  it.metadataApplied = 19;
  await it.find();
  it.metadataApplied = 20;
  it.connected = [];
  await it.find();
  expect(it.questions).toEqual([]);
});

test('a proof is void once anything has happened to the replica, and does not come back', async () => {
  for (const happened of [{ leader: asNodeId(2) }, { last: asRaftIndex(99) }, { term: asTerm(99) }]) {
    const it = await scene();
    it.place(0, 2, 3, 4);
    it.answer = true;
    expect(await it.find()).toBe(1);
    it.status = happened;
    await reconcileOnce(it.broker);
    it.status = {};
    await reconcileOnce(it.broker);
    expect(it.removed()).toBe(0);
  }
});

test('a replica that the metadata places here again stays', async () => {
  const it = await scene();
  it.place(0, 2, 3, 4);
  it.answer = true;
  expect(await it.find()).toBe(1);
  it.place(0, 1, 2, 3);
  await reconcileOnce(it.broker);
  it.place(0, 2, 3, 4);
  await reconcileOnce(it.broker);
  expect(it.removed()).toBe(0);
});

test('a removal that the replica itself has heard of after the metadata changed needs no further change', async () => {
  const it = await scene();
  it.place(0, 2, 3, 4);
  await reconcileOnce(it.broker);
  const membership = { voters: [2, 3, 4].map(asNodeId), outgoing: [], learners: [], learnersNext: [], autoLeave: false };
  // A leader counts on it under a membership that this log does not have yet.
  it.status = { leader: asNodeId(2), membership };
  expect(await it.find()).toBe(0);
  await reconcileOnce(it.broker);
  expect(it.removed()).toBe(0);
  it.status = { membership };
  expect(await it.find()).toBe(1);
  await reconcileOnce(it.broker);
  expect(it.removed()).toBe(1);
});

test('a removal that a damaged log shows is none: behind the damage it may have been taken back', async () => {
  const it = await scene();
  it.place(0, 2, 3, 4);
  it.status = {
    membership: { voters: [2, 3, 4].map(asNodeId), outgoing: [], learners: [], learnersNext: [], autoLeave: false },
    faulty: true,
  };
  expect(await it.find()).toBe(0);
  await reconcileOnce(it.broker);
  expect(it.removed()).toBe(0);
  it.status = { ...it.status, faulty: false };
  await reconcileOnce(it.broker);
  expect(it.removed()).toBe(1);
});

test('who comes back to a group that has moved is not born as one of its founders', async () => {
  const it = await scene();
  it.place(0, 2, 3, 4);
  it.answer = true;
  await it.find();
  await reconcileOnce(it.broker);
  const voters = (): readonly number[] | undefined => it.broker.host.status(asGroupId(it.groupOf(0)))?.membership.voters;
  expect(voters()).toBeUndefined();
  it.place(0, 1, 2, 4);
  await reconcileOnce(it.broker);
  expect(voters()).toEqual([2, 3]);
});
