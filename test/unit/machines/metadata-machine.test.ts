import { asGroupId, asNodeId, asRaftIndex, asTerm } from '@balsa/node/core/ids.ts';
import type { MetadataCommand, RegisterNode } from '@balsa/node/core/machines/metadata/command.ts';
import { encodeMetadataCommand } from '@balsa/node/core/machines/metadata/command-codec.ts';
import { metadataLimits } from '@balsa/node/core/machines/metadata/limits.ts';
import { metadataMachine } from '@balsa/node/core/machines/metadata/metadata-machine.ts';
import type { MetadataOutcome } from '@balsa/node/core/machines/metadata/outcome.ts';
import { findGroup } from '@balsa/node/core/machines/metadata/state.ts';
import { beforeEach, describe, expect, test } from 'vitest';

function openMetadata() {
  let state = metadataMachine.initial();
  let index = 0;
  return {
    state: () => state,
    bytes: () => Buffer.from(metadataMachine.encode(state)).toString('utf8'),
    apply: (command: MetadataCommand): MetadataOutcome => {
      index++;
      return metadataMachine.apply(state, { index: asRaftIndex(index), term: asTerm(1), payload: encodeMetadataCommand(command) });
    },
    restore: () => {
      state = metadataMachine.decode(metadataMachine.encode(state));
    },
  };
}

const node = (nodeId: number, changes: Partial<RegisterNode> = {}): RegisterNode => ({
  type: 'register-node',
  nodeId,
  storeId: `store-${nodeId}`,
  clientAddress: `host-${nodeId}:7000`,
  peerAddress: `host-${nodeId}:7001`,
  httpAddress: '',
  zone: `zone-${nodeId}`,
  ...changes,
});

const create = (name: string, partitions = 1, replicationFactor = 0, config: Record<string, string> = {}): MetadataCommand => ({
  type: 'create-topic',
  name,
  partitions,
  replicationFactor,
  config,
});

const refused = (code: string, words: string) => ({ kind: 'refused', code, message: expect.stringContaining(words) });

let metadata = openMetadata();
beforeEach(() => {
  metadata = openMetadata();
});

function registerThree(): void {
  for (const nodeId of [1, 2, 3]) metadata.apply(node(nodeId));
}

/** Asserts that a command is refused and changes nothing. */
function expectRefused(command: MetadataCommand, code: string, words: string): void {
  const before = metadata.bytes();
  expect(metadata.apply(command)).toEqual(refused(code, words));
  expect(metadata.bytes()).toBe(before);
}

describe('the cluster', () => {
  test('is named by the first proposal; others learn the name', () => {
    expect(metadata.apply({ type: 'init-cluster', clusterId: 'first' })).toMatchObject({ kind: 'ok', changed: true, clusterId: 'first' });
    expect(metadata.apply({ type: 'init-cluster', clusterId: 'second' })).toMatchObject({ kind: 'ok', changed: false, clusterId: 'first' });
    expect(metadata.state().version).toBe(1);
  });

  test('raises its feature level, never lowers it', () => {
    expect(metadata.apply({ type: 'set-feature-level', level: 2 })).toMatchObject({ kind: 'ok', changed: true, featureLevel: 2 });
    expect(metadata.apply({ type: 'set-feature-level', level: 2 })).toMatchObject({ kind: 'ok', changed: false });
    expectRefused({ type: 'set-feature-level', level: 1 }, 'INVALID_REQUEST', 'cannot go from 2 back to 1');
  });

  test('hands out blocks of producer ids that do not overlap, across restores', () => {
    const firstId = (count: number) => metadata.apply({ type: 'allocate-producer-ids', count });
    expect(firstId(10)).toMatchObject({ firstId: 1, count: 10 });
    metadata.restore();
    expect(firstId(1)).toMatchObject({ firstId: 11 });
    expect(firstId(1)).toMatchObject({ firstId: 12 });
  });
});

describe('a node', () => {
  test('registers, repeats itself without effect, and changes its addresses', () => {
    expect(metadata.apply(node(1))).toEqual({ kind: 'ok', command: 'register-node', changed: true });
    expect(metadata.apply(node(1))).toEqual({ kind: 'ok', command: 'register-node', changed: false });
    expect(metadata.state().version).toBe(1);
    for (const changes of [{ clientAddress: 'n:1' }, { peerAddress: 'n:1' }, { httpAddress: 'n:1' }, { zone: 'z' }]) {
      metadata.apply(node(1));
      expect(metadata.apply(node(1, changes))).toMatchObject({ changed: true });
      expect(metadata.state().nodes.get(asNodeId(1))).toMatchObject(changes);
    }
  });

  test('with another data folder is refused', () => {
    metadata.apply(node(1));
    expectRefused(node(1, { storeId: 'wiped' }), 'WRONG_CLUSTER', 'another data folder');
  });

  test("with another node's data folder is refused", () => {
    metadata.apply(node(1));
    expectRefused(node(2, { storeId: 'store-1' }), 'WRONG_CLUSTER', 'belongs to node 1');
  });

  test('beyond the limit is refused; known ones still may change', () => {
    for (let nodeId = 1; nodeId <= metadataLimits.nodesMax; nodeId++) metadata.apply(node(nodeId));
    expectRefused(node(metadataLimits.nodesMax + 1), 'INVALID_REQUEST', 'nodesMax');
    expect(metadata.apply(node(5, { zone: 'z' }))).toMatchObject({ kind: 'ok' });
  });
});

describe('a topic', () => {
  beforeEach(registerThree);

  test('is placed on all zones, with group ids from 1', () => {
    const outcome = metadata.apply(create('orders', 3, 3, { 'retention.ms': '5000' }));
    expect(outcome).toMatchObject({ kind: 'ok', command: 'create-topic', changed: true });
    const topic = metadata.state().topics.get('orders');
    expect(topic).toMatchObject({ name: 'orders', topicId: 1, replicationFactor: 3, config: new Map([['retention.ms', '5000']]) });
    expect(topic?.partitions.map((partition) => partition.groupId)).toEqual([1, 2, 3]);
    expect(new Set(topic?.partitions.map((partition) => partition.replicas[0]))).toEqual(new Set([1, 2, 3]));
    for (const partition of topic?.partitions ?? []) {
      expect(new Set(partition.replicas)).toEqual(new Set([1, 2, 3]));
      expect(partition).toMatchObject({ generation: 1, learners: [], birth: partition.replicas });
    }
  });

  test.each([
    [1, 1],
    [2, 2],
    [5, 3],
  ])('without a replication factor, on %i nodes, has %i replicas', (nodes, replicas) => {
    metadata = openMetadata();
    for (let nodeId = 1; nodeId <= nodes; nodeId++) metadata.apply(node(nodeId));
    metadata.apply(create('t'));
    expect(metadata.state().topics.get('t')?.replicationFactor).toBe(replicas);
  });

  test('that is created again shares nothing with its predecessor', () => {
    metadata.apply(create('orders', 2, 3, { 'retention.bytes': '7000' }));
    expect(metadata.apply({ type: 'delete-topic', name: 'orders' })).toMatchObject({ kind: 'ok', topic: { topicId: 1 } });
    metadata.restore();
    metadata.apply(create('orders', 2));
    const again = metadata.state().topics.get('orders');
    expect(again).toMatchObject({ topicId: 2, config: new Map() });
    expect(again?.partitions.map((partition) => partition.groupId)).toEqual([3, 4]);
  });

  test.each([
    ['a name that is not allowed', create('no spaces'), 'INVALID_TOPIC_NAME', '1 to 249'],
    ['the name .', create('.'), 'INVALID_TOPIC_NAME', '1 to 249'],
    ['the name ..', create('..'), 'INVALID_TOPIC_NAME', '1 to 249'],
    ['no name', create(''), 'INVALID_TOPIC_NAME', '1 to 249'],
    ['a long name', create('x'.repeat(250)), 'INVALID_TOPIC_NAME', '1 to 249'],
    ['a name with a line break at its end', create('orders\n'), 'INVALID_TOPIC_NAME', '1 to 249'],
    ['a taken name', create('taken'), 'TOPIC_EXISTS', 'taken exists'],
    ['no partitions', create('t', 0), 'INVALID_PARTITIONS', '1 to 10000'],
    ['too many partitions', create('t', 10_001), 'INVALID_PARTITIONS', '1 to 10000'],
    ['more replicas than nodes', create('t', 1, 4), 'INVALID_REPLICATION', '3 are registered'],
    ['too many replicas', create('t', 1, 8), 'INVALID_REPLICATION', '1 to 7'],
    ['an unknown setting', create('t', 1, 1, { 'retention.mss': '1' }), 'INVALID_CONFIG', 'Did you mean retention.ms?'],
    ['a setting out of range', create('t', 1, 1, { 'retention.ms': '0' }), 'INVALID_CONFIG', 'retention.ms cannot be "0"'],
  ])('with %s is refused', (_, command, code, words) => {
    metadata.apply(create('taken'));
    expectRefused(command, code, words);
  });

  test('of the longest name is fine', () => {
    expect(metadata.apply(create('x'.repeat(249)))).toMatchObject({ kind: 'ok' });
    expect(metadata.apply(create('...'))).toMatchObject({ kind: 'ok' });
  });

  test('cannot be created without nodes', () => {
    metadata = openMetadata();
    expectRefused(create('t'), 'INVALID_REPLICATION', '0 are registered');
  });

  test('beyond the number of partitions of all topics is refused', () => {
    const topics = metadataLimits.partitionsMax / metadataLimits.partitionsPerTopicMax;
    for (let at = 0; at < topics; at++) metadata.apply(create(`t${at}`, metadataLimits.partitionsPerTopicMax, 1));
    expectRefused(create('one-more'), 'INVALID_PARTITIONS', 'partitionsMax');
    metadata.apply({ type: 'delete-topic', name: 't0' });
    expect(metadata.apply(create('one-more'))).toMatchObject({ kind: 'ok' });
    const rest = metadataLimits.partitionsPerTopicMax;
    expectRefused({ type: 'alter-topic', name: 'one-more', partitions: rest + 1 }, 'INVALID_PARTITIONS', '1 to 10000');
    expect(metadata.apply({ type: 'alter-topic', name: 'one-more', partitions: rest })).toMatchObject({ kind: 'ok' });
  });
});

describe('altering a topic', () => {
  beforeEach(() => {
    registerThree();
    metadata.apply(create('orders', 2, 3, { 'retention.ms': '5000' }));
  });

  test('adds partitions and keeps the old ones', () => {
    const before = metadata.state().topics.get('orders')?.partitions;
    metadata.apply(create('between'));
    expect(metadata.apply({ type: 'alter-topic', name: 'orders', partitions: 4 })).toMatchObject({ kind: 'ok', changed: true });
    const after = metadata.state().topics.get('orders')?.partitions;
    expect(after?.slice(0, 2)).toEqual(before);
    expect(after?.map((partition) => partition.groupId)).toEqual([1, 2, 4, 5]);
  });

  test('sets, replaces and resets settings', () => {
    const alter = (config: Record<string, string>) => metadata.apply({ type: 'alter-topic', name: 'orders', config });
    expect(alter({ 'retention.bytes': '7000' })).toMatchObject({ changed: true });
    expect(alter({ 'retention.ms': '6000', 'retention.bytes': '' })).toMatchObject({ changed: true });
    expect(metadata.state().topics.get('orders')?.config).toEqual(new Map([['retention.ms', '6000']]));
    expect(alter({ 'retention.ms': '6000' })).toMatchObject({ changed: false });
    expect(alter({ 'retention.bytes': '-1' })).toMatchObject({ changed: false });
  });

  test('to what it is changes nothing, not even the version', () => {
    const before = metadata.bytes();
    expect(metadata.apply({ type: 'alter-topic', name: 'orders', partitions: 0 })).toMatchObject({ kind: 'ok', changed: false });
    expect(metadata.apply({ type: 'alter-topic', name: 'orders', partitions: 2 })).toMatchObject({ kind: 'ok', changed: false });
    expect(metadata.bytes()).toBe(before);
  });

  test('refuses all if one part is wrong', () => {
    expectRefused({ type: 'alter-topic', name: 'orders', partitions: 1 }, 'INVALID_PARTITIONS', 'cannot shrink');
    expectRefused({ type: 'alter-topic', name: 'nothing', partitions: 1 }, 'UNKNOWN_TOPIC', '"nothing"');
    expectRefused(
      { type: 'alter-topic', name: 'orders', partitions: 5, config: { 'retention.bytes': '0' } },
      'INVALID_CONFIG',
      'from 1 to',
    );
    expectRefused({ type: 'delete-topic', name: 'nothing' }, 'UNKNOWN_TOPIC', '"nothing"');
  });
});

describe('the replicas of a group', () => {
  beforeEach(() => {
    registerThree();
    metadata.apply(node(4));
    metadata.apply(create('orders', 2, 3));
  });

  test('are replaced in one partition, which remembers its birth', () => {
    const birth = findGroup(metadata.state(), asGroupId(2))?.partition.replicas;
    const other = findGroup(metadata.state(), asGroupId(1))?.partition;
    const command: MetadataCommand = { type: 'set-replicas', group: 2, replicas: [4, 1], learners: [3, 2] };
    expect(metadata.apply(command)).toMatchObject({ kind: 'ok', changed: true, partition: { replicas: [4, 1], learners: [2, 3], birth } });
    expect(findGroup(metadata.state(), asGroupId(2))?.partition).toMatchObject({
      replicas: [4, 1],
      learners: [2, 3],
      birth,
      generation: 1,
    });
    expect(findGroup(metadata.state(), asGroupId(1))?.partition).toBe(other);
    expect(metadata.apply(command)).toMatchObject({ kind: 'ok', changed: false });
    expect(metadata.apply({ ...command, learners: [] })).toMatchObject({ kind: 'ok', changed: true });
    expect(metadata.apply({ ...command, replicas: [1, 4], learners: [] })).toMatchObject({ kind: 'ok', changed: true });
  });

  test.each<[string, number, number[], number[], string, string]>([
    ['an unknown group', 3, [1], [], 'UNKNOWN_GROUP', 'group 3'],
    ['the metadata group', 0, [1], [], 'UNKNOWN_GROUP', 'group 0'],
    ['nobody', 1, [], [1], 'INVALID_REPLICATION', '0 voting'],
    ['an unknown node', 1, [1, 9], [], 'INVALID_TARGET', 'node 9'],
    ['an unknown learner', 1, [1], [9], 'INVALID_TARGET', 'node 9'],
    ['a node twice', 1, [1, 1], [], 'INVALID_REQUEST', 'twice'],
    ['a learner that votes', 1, [1, 2], [2], 'INVALID_REQUEST', 'twice'],
    ['too many', 1, [1, 2, 3, 4, 5, 6, 7, 8], [], 'INVALID_REPLICATION', '1 to 7'],
  ])('cannot be set for or to %s', (_, group, replicas, learners, code, words) => {
    expectRefused({ type: 'set-replicas', group, replicas, learners }, code, words);
  });
});

// Snapshots hold these bytes: a change of the expected value is a change of format and
// needs a new version beside the old one.
test('bytes of the state are these, whatever the order of events, and are read back exactly', () => {
  metadata.apply({ type: 'init-cluster', clusterId: 'c' });
  metadata.apply(node(2, { httpAddress: 'host-2:80' }));
  metadata.apply(node(1));
  metadata.apply(create('zebra', 1, 2, { 'retention.ms': '5000', 'retention.bytes': '7000' }));
  metadata.apply(create('ant', 1, 1));
  metadata.apply({ type: 'alter-topic', name: 'zebra', config: { 'batch.bytes.max': '2000000' } });
  const golden = {
    v: 1,
    state: { version: 6, clusterId: 'c', featureLevel: 0, nextGroupId: 3, nextTopicId: 3, nextProducerId: 1 },
    nodes: [
      { nodeId: 1, storeId: 'store-1', clientAddress: 'host-1:7000', peerAddress: 'host-1:7001', httpAddress: '', zone: 'zone-1' },
      { nodeId: 2, storeId: 'store-2', clientAddress: 'host-2:7000', peerAddress: 'host-2:7001', httpAddress: 'host-2:80', zone: 'zone-2' },
    ],
    topics: [
      {
        name: 'zebra',
        topicId: 1,
        replicationFactor: 2,
        config: [
          ['batch.bytes.max', '2000000'],
          ['retention.bytes', '7000'],
          ['retention.ms', '5000'],
        ],
        partitions: [{ groupId: 1, generation: 1, birth: [1, 2], replicas: [1, 2], learners: [] }],
      },
      {
        name: 'ant',
        topicId: 2,
        replicationFactor: 1,
        config: [],
        partitions: [{ groupId: 2, generation: 1, birth: [2], replicas: [2], learners: [] }],
      },
    ],
  };
  expect(metadata.bytes()).toBe(JSON.stringify(golden));
  const decoded = metadataMachine.decode(Buffer.from(JSON.stringify(golden)));
  expect(decoded).toEqual(metadata.state());
  expect(() => metadataMachine.decode(Buffer.from(JSON.stringify({ ...golden, v: 2 })))).toThrow('known version');
});
