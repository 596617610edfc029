/**
 * After a restart the metadata first shows a past in which groups exist that were deleted,
 * and removed here, before.
 */
import { type BrokerState, createBrokerState } from '@balsa/node/broker/broker-state.ts';
import { openMetadata } from '@balsa/node/broker/cluster.ts';
import { reconcileOnce } from '@balsa/node/broker/reconcile.ts';
import { asNodeId, asRaftIndex, asTerm, metadataGroup } from '@balsa/node/core/ids.ts';
import type { MetadataCommand } from '@balsa/node/core/machines/metadata/command.ts';
import { encodeMetadataCommand } from '@balsa/node/core/machines/metadata/command-codec.ts';
import type { MetadataState } from '@balsa/node/core/machines/metadata/state.ts';
import { metadataMachine } from '@balsa/node/core/machines/metadata/metadata-machine.ts';
import { createMemoryStateFolder } from '@balsa/node/storage/state/memory-state-store.ts';
import { describe, expect, test } from 'vitest';
import { createFakeHost } from './fake-host.ts';
import { realClock, testLimits } from './fixture.ts';

/** The metadata of a cluster of one node with a topic. */
function metadataWithTopic(): MetadataState {
  const state = metadataMachine.initial();
  const commands: readonly MetadataCommand[] = [
    { type: 'init-cluster', clusterId: 'c' },
    { type: 'register-node', nodeId: asNodeId(1), storeId: 's', clientAddress: 'a:1', peerAddress: 'a:2', httpAddress: '', zone: 'z' },
    { type: 'create-topic', name: 'jobs', partitions: 1, replicationFactor: 1, config: {} },
  ];
  commands.forEach((command, place) => {
    const outcome = metadataMachine.apply(state, {
      index: asRaftIndex(place + 1),
      term: asTerm(1),
      payload: encodeMetadataCommand(command),
    });
    expect(outcome.kind).toBe('ok');
  });
  return state;
}

/** A broker just started: its metadata has applied up to `applied` of the 20 entries that its log holds. */
async function restarted(applied: number, knows: boolean, faulty = false, retired = false) {
  const stateStore = await createMemoryStateFolder().open();
  const fake = createFakeHost(1, stateStore);
  const births: (readonly number[])[] = [];
  const state = { applied, last: 20, faulty };
  const host: typeof fake = {
    ...fake,
    isKnown: () => knows,
    isRetired: () => retired,
    open: (spec) => {
      births.push(spec.birth.voters);
      return fake.open(spec);
    },
    status: (group) => {
      const status = fake.status(group);
      const isMetadata = status !== undefined && group === metadataGroup;
      return isMetadata ? { ...status, applied: asRaftIndex(state.applied), last: asRaftIndex(state.last), faulty: state.faulty } : status;
    },
  };
  const broker = createBrokerState({
    host,
    stateStore,
    clock: realClock,
    random: { below: () => 0, hex: (bytes) => 'ab'.repeat(bytes) },
    facts: { nodeId: asNodeId(1), storeId: 'store-1', clientAddress: 'a:1', peerAddress: 'a:2', httpAddress: 'a:3', zone: 'z' },
    members: [asNodeId(1), asNodeId(2)],
    leaderCalls: {
      registerNode: () => Promise.reject(new Error('unused')),
      allocateProducerIds: () => Promise.reject(new Error('unused')),
    },
    limits: testLimits,
    topicDefaults: { partitions: 1, replicationFactor: 0 },
    maintenance: { retentionCheckMs: 3_600_000, balanceCheckMs: 3_600_000, balanceStableMs: 10_000 },
    observer: { onProduced: () => {}, onFetched: () => {}, onEvent: () => {} },
  });
  await openMetadata(broker);
  broker.metadata.state = metadataWithTopic();
  return { broker, state, births };
}

test('a group that the journal does not know is not opened before the metadata has caught up', async () => {
  const { broker, state } = await restarted(3, false);
  expect(await reconcileOnce(broker)).toBe(false);
  expect(broker.replicas.size).toBe(0);
  state.applied = 20;
  expect(await reconcileOnce(broker)).toBe(true);
  expect(broker.replicas.size).toBe(1);
});

test('nor while the log of the metadata is damaged, or as long as it is shorter than the log before the damage', async () => {
  const { broker, state } = await restarted(3, false, true);
  // Damage shows the sound beginning of a log, and all of that is applied.
  state.last = 3;
  expect(await reconcileOnce(broker)).toBe(false);
  Object.assign(state, { faulty: false, last: 20 });
  expect(await reconcileOnce(broker)).toBe(false);
  expect(broker.replicas.size).toBe(0);
  state.applied = 20;
  expect(await reconcileOnce(broker)).toBe(true);
});

test('a group that the journal knows is opened at once', async () => {
  const { broker } = await restarted(3, true);
  expect(await reconcileOnce(broker)).toBe(true);
  expect(broker.replicas.size).toBe(1);
});

describe('a founder', () => {
  const movedAway = ({ metadata }: BrokerState): void => {
    const topic = metadata.state.topics.get('jobs')!;
    const partitions = topic.partitions.map((partition) => ({ ...partition, birth: [1, 2, 3].map(asNodeId), replicas: [asNodeId(2)] }));
    metadata.state.topics.set('jobs', { ...topic, partitions });
  };

  test('that has never opened the group does so although it has moved: it may be needed to found it', async () => {
    const { broker, births } = await restarted(20, false);
    movedAway(broker);
    expect(await reconcileOnce(broker)).toBe(true);
    expect(births.at(-1)).toEqual([1, 2, 3]);
  });

  test('that had a replica which moved away does not begin another one by itself', async () => {
    const { broker } = await restarted(20, false, false, true);
    movedAway(broker);
    expect(await reconcileOnce(broker)).toBe(true);
    expect(broker.replicas.size).toBe(0);
  });

  test('that comes back has no say of its own until the log names it', async () => {
    const { broker, births } = await restarted(20, false, false, true);
    movedAway(broker);
    const topic = broker.metadata.state.topics.get('jobs')!;
    const partitions = topic.partitions.map((partition) => ({ ...partition, replicas: [1, 2].map(asNodeId) }));
    broker.metadata.state.topics.set('jobs', { ...topic, partitions });
    expect(await reconcileOnce(broker)).toBe(true);
    expect(births.at(-1)).toEqual([2, 3]);
  });
});
