/** Invariants of the metadata machine over any sequence of commands, on two replicas. */
import { asRaftIndex, asTerm } from '@balsa/node/core/ids.ts';
import type { MetadataCommand } from '@balsa/node/core/machines/metadata/command.ts';
import { decodeMetadataCommand, encodeMetadataCommand } from '@balsa/node/core/machines/metadata/command-codec.ts';
import { metadataMachine } from '@balsa/node/core/machines/metadata/metadata-machine.ts';
import type { MetadataOutcome } from '@balsa/node/core/machines/metadata/outcome.ts';
import type { MetadataState } from '@balsa/node/core/machines/metadata/state.ts';
import { allPartitions } from '@balsa/node/core/machines/metadata/state.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const nodeId = fc.integer({ min: 1, max: 6 });
const topicName = fc.constantFrom('a', 'b', 'c', 'not allowed');
const config = fc.dictionary(
  fc.constantFrom('retention.ms', 'retention.bytes', 'record.bytes.max', 'batch.bytes.max', 'unknown'),
  fc.constantFrom('', '5000', 'never', '9999999'),
  { maxKeys: 2, noNullPrototype: true },
);

const command: fc.Arbitrary<MetadataCommand> = fc.oneof(
  fc.record({ type: fc.constant('init-cluster' as const), clusterId: fc.constantFrom('one', 'two') }),
  {
    weight: 3,
    arbitrary: fc.tuple(nodeId, fc.constantFrom(0, 0, 0, 1), fc.nat(2)).map(
      ([id, store, zone]): MetadataCommand => ({
        type: 'register-node',
        nodeId: id,
        storeId: `store-${id + store}`,
        clientAddress: `host:${id}`,
        peerAddress: `host:${id}`,
        httpAddress: '',
        zone: `zone-${zone}`,
      }),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('create-topic' as const),
      name: topicName,
      partitions: fc.nat(5),
      replicationFactor: fc.nat(4),
      config,
    }),
  },
  fc.record({ type: fc.constant('delete-topic' as const), name: topicName }),
  {
    weight: 2,
    arbitrary: fc.record(
      { type: fc.constant('alter-topic' as const), name: topicName, partitions: fc.nat(8), config },
      { requiredKeys: ['type', 'name'] },
    ),
  },
  fc.record({ type: fc.constant('allocate-producer-ids' as const), count: fc.integer({ min: 1, max: 1000 }) }),
  {
    weight: 2,
    arbitrary: fc.record(
      {
        type: fc.constant('set-replicas' as const),
        group: fc.nat(12),
        replicas: fc.array(nodeId, { maxLength: 4 }),
        learners: fc.array(nodeId, { maxLength: 2 }),
      },
      { requiredKeys: ['type', 'group', 'replicas'] },
    ),
  },
  fc.record({ type: fc.constant('set-feature-level' as const), level: fc.nat(3) }),
);

const bytesOf = (state: MetadataState): string => Buffer.from(metadataMachine.encode(state)).toString('utf8');

interface Seen {
  readonly groups: Map<number, number>;
  readonly producerIds: Set<number>;
}

function checkInvariants(state: MetadataState, seen: Seen): void {
  const groups = new Set<number>();
  for (const { topic, partition } of allPartitions(state)) {
    expect(partition.groupId).toBeLessThan(state.nextGroupId);
    expect(groups.has(partition.groupId)).toBe(false);
    groups.add(partition.groupId);
    // A group belongs to one topic for ever.
    expect(seen.groups.get(partition.groupId) ?? topic.topicId).toBe(topic.topicId);
    seen.groups.set(partition.groupId, topic.topicId);
    const all = [...partition.replicas, ...partition.learners];
    expect(new Set(all).size).toBe(all.length);
    expect(partition.replicas.length).toBeGreaterThan(0);
    for (const replica of [...all, ...partition.birth]) expect(state.nodes.has(replica)).toBe(true);
  }
  const stores = [...state.nodes.values()].map((node) => node.storeId);
  expect(new Set(stores).size).toBe(stores.length);
}

function checkIds(outcome: MetadataOutcome, seen: Seen): void {
  if (outcome.kind !== 'ok' || outcome.command !== 'allocate-producer-ids') return;
  for (const id of [outcome.firstId, outcome.firstId + outcome.count - 1]) {
    expect(seen.producerIds.has(id) && outcome.count > 1).toBe(false);
    seen.producerIds.add(id);
  }
  expect(outcome.firstId).toBe(Math.max(0, ...[...seen.producerIds].filter((id) => id < outcome.firstId)) + 1);
}

test('replicas agree, a refusal changes nothing, a change changes the version, ids are never reused', () => {
  const outcomes = new Set<string>();
  fc.assert(
    fc.property(fc.array(fc.tuple(command, fc.boolean()), { maxLength: 40, size: 'max' }), (script) => {
      const first = metadataMachine.initial();
      let second = metadataMachine.initial();
      const seen: Seen = { groups: new Map(), producerIds: new Set() };
      for (const [at, [next, restore]] of script.entries()) {
        const applied = { index: asRaftIndex(at + 1), term: asTerm(1), payload: encodeMetadataCommand(next) };
        if (restore) second = metadataMachine.decode(metadataMachine.encode(second));
        const before = bytesOf(first);
        const versionBefore = first.version;
        const outcome = metadataMachine.apply(first, applied);
        expect(metadataMachine.apply(second, applied)).toEqual(outcome);
        expect(bytesOf(second)).toBe(bytesOf(first));
        expect(metadataMachine.decode(metadataMachine.encode(first))).toEqual(first);
        const changed = outcome.kind === 'ok' && outcome.changed;
        expect(bytesOf(first) !== before).toBe(changed);
        expect(first.version).toBe(versionBefore + (changed ? 1 : 0));
        checkInvariants(first, seen);
        checkIds(outcome, seen);
        outcomes.add(outcome.kind === 'ok' ? `${outcome.command} ${outcome.changed}` : outcome.code);
      }
    }),
    // So many that chance does not leave out a kind of outcome.
    { numRuns: 800 },
  );
  const accepted = [
    'init-cluster',
    'register-node',
    'create-topic',
    'delete-topic',
    'alter-topic',
    'allocate-producer-ids',
    'set-replicas',
    'set-feature-level',
  ];
  for (const type of accepted) expect(outcomes).toContain(`${type} true`);
  const codes = ['WRONG_CLUSTER', 'INVALID_TOPIC_NAME', 'TOPIC_EXISTS', 'UNKNOWN_TOPIC', 'UNKNOWN_GROUP', 'INVALID_PARTITIONS'];
  for (const code of [...codes, 'INVALID_REPLICATION', 'INVALID_CONFIG', 'INVALID_TARGET', 'INVALID_REQUEST'])
    expect(outcomes).toContain(code);
});

test('commands are read back as they were written', () => {
  fc.assert(
    fc.property(command, (written) => {
      expect(decodeMetadataCommand(encodeMetadataCommand(written))).toEqual({ ok: true, command: written });
    }),
  );
});

test('no bytes make a command throw, and what is refused changes nothing', () => {
  const anyJson = fc.json().map((json) => Buffer.from(json));
  const typed = fc
    .tuple(
      command,
      fc.dictionary(fc.constantFrom('name', 'config', 'partitions', 'replicas', 'v', '__proto__'), fc.jsonValue(), { maxKeys: 2 }),
    )
    .map(([valid, changes]) => Buffer.from(JSON.stringify({ v: 1, ...valid, ...changes })));
  const damaged = fc.tuple(command, fc.nat(), fc.nat(255)).map(([valid, at, byte]) => {
    const bytes = Buffer.from(encodeMetadataCommand(valid));
    bytes[at % bytes.length] = byte;
    return bytes;
  });
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.uint8Array(), anyJson, typed, damaged), { maxLength: 10 }), (payloads) => {
      const state = metadataMachine.initial();
      for (const [at, payload] of payloads.entries()) {
        const before = bytesOf(state);
        const outcome = metadataMachine.apply(state, { index: asRaftIndex(at + 1), term: asTerm(1), payload });
        if (outcome.kind === 'refused') expect(bytesOf(state)).toBe(before);
        expect(metadataMachine.decode(metadataMachine.encode(state))).toEqual(state);
      }
    }),
    { numRuns: 500 },
  );
});
