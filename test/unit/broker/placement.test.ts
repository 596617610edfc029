/** How the leader of a group leads its membership to where the metadata wants the replicas: newcomers learn before they vote. */
import { type BrokerState, createBrokerState } from '@balsa/node/broker/broker-state.ts';
import { createPartitionReplica } from '@balsa/node/broker/partition-replica.ts';
import { createPlacementMemory, followLearners, followPlacement, type LearningMemory, nextTarget } from '@balsa/node/broker/placement.ts';
import { asGroupId, asNodeId, asRaftIndex, asTerm, type GroupId } from '@balsa/node/core/ids.ts';
import { metadataMachine } from '@balsa/node/core/machines/metadata/metadata-machine.ts';
import type { PartitionRecord } from '@balsa/node/core/machines/metadata/state.ts';
import type { MembershipTarget } from '@balsa/node/core/raft/input.ts';
import type { GroupStatus } from '@balsa/node/host/vocabulary.ts';
import { HostError } from '@balsa/node/host/vocabulary.ts';
import { createMemoryStateFolder } from '@balsa/node/storage/state/memory-state-store.ts';
import { describe, expect, test } from 'vitest';
import { createFakeHost } from './fake-host.ts';
import { realClock, testLimits } from './fixture.ts';

const ids = (...nodes: readonly number[]) => nodes.map(asNodeId);
const group = asGroupId(7);

const wish = (replicas: readonly number[], learners: readonly number[] = []): PartitionRecord => ({
  groupId: group,
  generation: 1,
  birth: ids(1, 2, 3),
  replicas: ids(...replicas),
  learners: ids(...learners),
});

interface Situation {
  readonly voters: readonly number[];
  readonly outgoing?: readonly number[];
  readonly learners?: readonly number[];
  /** What the leader knows to be durable on a learner. */
  readonly match?: number;
  readonly active?: boolean;
  readonly last?: number;
  readonly commit?: number;
  readonly term?: number;
}

/** As node 1 sees it, which leads. */
function status(situation: Situation): GroupStatus {
  const { voters, outgoing = [], learners = [], match = 0, active = true, last = 1000, commit = last, term = 3 } = situation;
  return {
    group,
    generation: 1,
    role: 'leader',
    leader: asNodeId(1),
    term: asTerm(term),
    commit: asRaftIndex(commit),
    applied: asRaftIndex(commit),
    durable: asRaftIndex(last),
    first: asRaftIndex(1),
    last: asRaftIndex(last),
    membership: { voters: ids(...voters), outgoing: ids(...outgoing), learners: ids(...learners), learnersNext: [], autoLeave: false },
    replicas: learners.map((node) => ({ node: asNodeId(node), match: asRaftIndex(match), state: 'replicate', active })),
    faulty: false,
  };
}

/** The targets asked for as the situation develops. */
function targets(wanted: PartitionRecord, situations: readonly Situation[]): (MembershipTarget | undefined)[] {
  const memory: LearningMemory = new Map();
  return situations.map((situation) => nextTarget(wanted, status(situation), memory));
}

describe('the next membership', () => {
  test('a newcomer learns beside all voters, and takes its place when it has caught up', () => {
    const learning = { voters: [1, 2, 3], learners: [4] };
    expect(
      targets(wish([4, 1, 2]), [
        { voters: [1, 2, 3] },
        { ...learning, match: 0 },
        { ...learning, match: 999, last: 1000 },
        { ...learning, match: 1000, last: 1050 },
        { voters: [1, 2, 4], outgoing: [1, 2, 3] },
        { voters: [1, 2, 4] },
      ]),
    ).toEqual([{ voters: [1, 2, 3], learners: [4] }, undefined, undefined, { voters: [4, 1, 2], learners: [] }, undefined, undefined]);
  });

  test('however near the end: without its own membership, or cut off, or far behind again, a learner does not vote', () => {
    const learning = { voters: [1], learners: [2], last: 50 };
    expect(
      targets(wish([1, 2]), [
        { ...learning, match: 49 },
        { ...learning, match: 49 },
        { ...learning, match: 50, active: false },
        { ...learning, match: 50, last: 151 },
        { ...learning, match: 51, last: 151 },
      ]),
    ).toEqual([undefined, undefined, undefined, undefined, { voters: [1, 2], learners: [] }]);
  });

  test('of several newcomers all must learn, and all must have caught up', () => {
    const memory: LearningMemory = new Map();
    const wanted = wish([1, 4, 5]);
    const learning = { voters: [1, 2, 3], learners: [4, 5], last: 50 };
    const behind = (node: number): GroupStatus => {
      const caughtUp = status({ ...learning, match: 50 });
      return { ...caughtUp, replicas: caughtUp.replicas.map((each) => (each.node === node ? { ...each, match: asRaftIndex(49) } : each)) };
    };
    expect(nextTarget(wanted, status({ voters: [1, 2, 3], learners: [4] }), memory)).toEqual({ voters: [1, 2, 3], learners: [4, 5] });
    expect(nextTarget(wanted, status(learning), memory)).toBeUndefined();
    expect(nextTarget(wanted, behind(4), memory)).toBeUndefined();
    expect(nextTarget(wanted, behind(5), memory)).toBeUndefined();
    expect(nextTarget(wanted, status({ ...learning, match: 50 }), memory)).toEqual({ voters: [1, 4, 5], learners: [] });
  });

  test('what is not committed yet is nothing to catch up with', () => {
    const learning = { voters: [1], learners: [2], last: 5000, commit: 1000 };
    expect(
      targets(wish([1, 2]), [
        { ...learning, last: 1000 },
        { ...learning, match: 1000 },
      ]),
    ).toEqual([undefined, { voters: [1, 2], learners: [] }]);
  });

  test('a leader of another term begins to count anew', () => {
    const learning = { voters: [1], learners: [2] };
    expect(
      targets(wish([1, 2]), [
        { ...learning, last: 100, term: 3 },
        { ...learning, last: 200, match: 200, term: 4 },
        { ...learning, last: 200, match: 200, term: 4 },
      ]),
    ).toEqual([undefined, undefined, { voters: [1, 2], learners: [] }]);
  });

  test('voters that only leave, or become learners, leave at once', () => {
    expect(targets(wish([2]), [{ voters: [1, 2, 3] }])).toEqual([{ voters: [2], learners: [] }]);
    expect(targets(wish([1, 2], [3]), [{ voters: [1, 2, 3] }])).toEqual([{ voters: [1, 2], learners: [3] }]);
    // With a newcomer they stay until it has caught up.
    expect(targets(wish([1, 4], [2]), [{ voters: [1, 2, 3] }])).toEqual([{ voters: [1, 2, 3], learners: [4] }]);
  });

  test('another wish takes over from where the group is', () => {
    const memory: LearningMemory = new Map();
    const next = (wanted: PartitionRecord, situation: Situation) => nextTarget(wanted, status(situation), memory);
    const learning = { voters: [1, 2, 3], learners: [4] };
    expect(next(wish([1, 2, 4]), learning)).toBeUndefined();
    // Node 5 instead of a node 4 that never came.
    expect(next(wish([1, 2, 5]), learning)).toEqual({ voters: [1, 2, 3], learners: [5] });
    // A learner that shall vote now has to catch up with what is there now.
    const both = { voters: [1, 2, 3], learners: [4, 5], match: 1000 };
    expect(next(wish([1, 2, 4], [5]), both)).toBeUndefined();
    expect(next(wish([1, 2, 5], [4]), both)).toBeUndefined();
    expect(next(wish([1, 2, 5], [4]), both)).toEqual({ voters: [1, 2, 5], learners: [4] });
    // What is under way ends first.
    expect(next(wish([1, 2, 5]), { voters: [1, 2, 4], outgoing: [1, 2, 3] })).toBeUndefined();
    // And back to where it began.
    expect(next(wish([1, 2, 3]), learning)).toEqual({ voters: [1, 2, 3], learners: [] });
    expect(memory.size).toBe(0);
  });
});

describe('the rounds', () => {
  interface Stage {
    readonly broker: BrokerState;
    readonly statuses: Map<GroupId, GroupStatus>;
    readonly asked: [GroupId, MembershipTarget][];
    readonly events: string[];
    /** Happens before a change is answered. */
    beforeAnswer: (group: GroupId) => Promise<void>;
  }

  /** Node 1 leads three groups of its own, which shall have a second replica on node 4. */
  async function stage(): Promise<Stage> {
    const stateStore = await createMemoryStateFolder().open();
    const asked: [GroupId, MembershipTarget][] = [];
    const events: string[] = [];
    const statuses = new Map<GroupId, GroupStatus>();
    const host = {
      ...createFakeHost(1, stateStore),
      status: (id: GroupId) => statuses.get(id),
      changeMembership: async (id: GroupId, target: MembershipTarget) => {
        asked.push([id, target]);
        await it.beforeAnswer(id);
        statuses.set(id, { ...status({ voters: target.voters, learners: target.learners }), group: id });
      },
    };
    const broker = createBrokerState({
      host,
      stateStore,
      clock: realClock,
      random: { below: () => 0, hex: () => '' },
      facts: { nodeId: asNodeId(1), storeId: 's1', clientAddress: 'a:1', peerAddress: 'b:1', httpAddress: '', zone: 'z1' },
      members: ids(1),
      leaderCalls: {
        registerNode: () => Promise.reject(new Error('unused')),
        allocateProducerIds: () => Promise.reject(new Error('unused')),
      },
      limits: testLimits,
      topicDefaults: { partitions: 1, replicationFactor: 0 },
      maintenance: { retentionCheckMs: 3_600_000, balanceCheckMs: 3_600_000, balanceStableMs: 10_000 },
      observer: { onProduced: () => {}, onFetched: () => {}, onEvent: ({ kind }) => events.push(kind) },
    });
    const state = metadataMachine.initial();
    const partitions = [1, 2, 3].map((id) => ({ ...wish([1, 4]), groupId: asGroupId(id) }));
    state.topics.set('t', { name: 't', topicId: 1, replicationFactor: 1, config: new Map(), partitions });
    broker.metadata.state = state;
    for (const { groupId } of partitions) {
      broker.replicas.set(groupId, createPartitionReplica({ group: groupId, generation: 1 }));
      statuses.set(groupId, { ...status({ voters: [1] }), group: groupId });
    }
    const it: Stage = { broker, statuses, asked, events, beforeAnswer: async () => {} };
    return it;
  }
  const learning: MembershipTarget = { voters: ids(1), learners: ids(4) };
  const done: MembershipTarget = { voters: ids(1, 4), learners: [] };
  const [one, two, three] = [1, 2, 3].map(asGroupId) as [GroupId, GroupId, GroupId];

  test('every group that is led here is led on, also behind one whose change is refused', async () => {
    const it = await stage();
    it.statuses.set(two, { ...status({ voters: [1] }), group: two, role: 'follower' });
    const pending = new HostError({ reason: 'membership-change-pending' });
    it.beforeAnswer = (group) => (group === one ? Promise.reject(pending) : Promise.resolve());
    const memory = createPlacementMemory();
    await followPlacement(it.broker, memory);
    expect(it.asked).toEqual([
      [one, learning],
      [three, learning],
    ]);
    expect(it.events).toEqual(['maintenance-failed']);
    // What its newcomer has to reach was noted in the same round.
    expect([...memory.learning]).toEqual([[three, { term: 3, nodes: [4], last: 1000 }]]);
  });

  test('groups with newcomers are looked at in between, and nothing else', async () => {
    const { broker, statuses, asked } = await stage();
    const memory = createPlacementMemory();
    await followLearners(broker, memory);
    expect(asked).toEqual([]);
    await followPlacement(broker, memory);
    asked.length = 0;
    await followLearners(broker, memory);
    expect(asked).toEqual([]);
    statuses.set(two, { ...status({ voters: [1], learners: [4], match: 1000 }), group: two });
    await followLearners(broker, memory);
    expect(asked).toEqual([[two, done]]);
    expect([...memory.learning.keys()]).toEqual([one, three]);
    // Another node leads this one now.
    statuses.set(three, { ...status({ voters: [1], learners: [4] }), group: three, role: 'follower' });
    await followLearners(broker, memory);
    expect([...memory.learning.keys()]).toEqual([one]);
  });

  test('a group that one round is changing is left alone by the other', async () => {
    const it = await stage();
    const memory = createPlacementMemory();
    await followPlacement(it.broker, memory);
    it.asked.length = 0;
    for (const group of [one, two]) it.statuses.set(group, { ...status({ voters: [1], learners: [4], match: 1000 }), group });
    const answer = Promise.withResolvers<void>();
    it.beforeAnswer = (group) => (group === one ? answer.promise : Promise.resolve());
    const slow = followLearners(it.broker, memory);
    await followPlacement(it.broker, memory);
    expect(it.asked).toEqual([
      [one, done],
      [two, done],
    ]);
    answer.resolve();
    await slow;
    expect(it.asked).toHaveLength(2);
    expect(memory.changing.size).toBe(0);
    // And no group stays locked by a change that failed.
    it.beforeAnswer = () => Promise.reject(new HostError({ reason: 'stopping' }));
    it.statuses.set(three, { ...status({ voters: [1], learners: [4], match: 1000 }), group: three });
    await followLearners(it.broker, memory);
    expect([it.asked.at(-1), memory.changing.size]).toEqual([[three, done], 0]);
  });

  test('a broker that stops changes nothing more', async () => {
    const { broker, asked } = await stage();
    broker.stopping = true;
    await followPlacement(broker, createPlacementMemory());
    expect(asked).toEqual([]);
  });
});
