/** A started broker of one node over the fake host, for tests. */
import type { Broker } from '@balsa/node/broker/broker.ts';
import { createBroker } from '@balsa/node/broker/broker.ts';
import { BrokerError } from '@balsa/node/broker/broker-error.ts';
import type { BrokerLimits, BrokerOptions } from '@balsa/node/broker/broker-state.ts';
import type { BrokerEvent } from '@balsa/node/broker/observer.ts';
import { asGroupId, asNodeId } from '@balsa/node/core/ids.ts';
import type { GroupId } from '@balsa/node/core/ids.ts';
import type { StateStore } from '@balsa/node/ports/state-store.ts';
import { createMemoryStateFolder } from '@balsa/node/storage/state/memory-state-store.ts';
import type { Clock } from '@balsa/node/ports/clock.ts';
import { expect } from 'vitest';
import type { FakeHost } from './fake-host.ts';
import { createFakeHost } from './fake-host.ts';

export const realClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
  every: (periodMs, callback) => {
    const timer = setInterval(callback, periodMs);
    return () => clearInterval(timer);
  },
  nextTurn: (callback) => {
    setImmediate(callback);
  },
};

export const testLimits: BrokerLimits = {
  produceBytesInflightMax: 16 * 1024 * 1024,
  fetchBytesInflightMax: 16 * 1024 * 1024,
  fetchBytesMax: 16 * 1024 * 1024,
  fetchWaitMsMax: 5000,
  requestTimeoutMs: 2000,
  requestTimeoutMsMax: 10_000,
};

export interface Fixture {
  readonly broker: Broker;
  readonly host: FakeHost;
  readonly stateStore: StateStore;
  readonly events: BrokerEvent[];
  /** Raft group of a partition. */
  readonly groupOf: (topic: string, partition?: number) => GroupId;
  readonly stop: () => void;
}

export interface FixtureOptions {
  readonly limits?: Partial<BrokerLimits>;
  readonly maintenance?: Partial<BrokerOptions['maintenance']>;
  readonly topicDefaults?: Partial<BrokerOptions['topicDefaults']>;
  readonly members?: readonly number[];
  readonly clock?: Clock;
}

export async function startFixture(options: FixtureOptions = {}): Promise<Fixture> {
  const stateStore = await createMemoryStateFolder().open();
  const host = createFakeHost(1, stateStore);
  const events: BrokerEvent[] = [];
  const broker = createBroker({
    host,
    stateStore,
    clock: options.clock ?? realClock,
    random: { below: () => 0, hex: (bytes) => 'ab'.repeat(bytes) },
    facts: { nodeId: asNodeId(1), storeId: 'store-1', clientAddress: 'a:1', peerAddress: 'a:2', httpAddress: 'a:3', zone: 'z' },
    members: (options.members ?? [1]).map(asNodeId),
    leaderCalls: {
      registerNode: () => Promise.reject(new BrokerError('CONNECTION_LOST', 'no other node in this test')),
      allocateProducerIds: () => Promise.reject(new BrokerError('CONNECTION_LOST', 'no other node in this test')),
    },
    limits: { ...testLimits, ...options.limits },
    topicDefaults: { partitions: 1, replicationFactor: 0, ...options.topicDefaults },
    maintenance: { retentionCheckMs: 3_600_000, balanceCheckMs: 3_600_000, balanceStableMs: 10_000, ...options.maintenance },
    observer: { onProduced: () => {}, onFetched: () => {}, onEvent: (event) => events.push(event) },
  });
  const { joined } = await broker.start();
  await joined;
  const groupOf = (topic: string, partition = 0): GroupId => {
    const found = broker.describeCluster([topic]).topics[0]?.partitions[partition];
    if (found === undefined) throw new Error(`no partition ${topic}-${partition}`);
    return asGroupId(found.group);
  };
  return { broker, host, stateStore, events, groupOf, stop: () => broker.stop() };
}

export const topicNamed = (name: string, config: Record<string, string> = {}) => ({ name, partitions: 1, replicationFactor: 1, config });

/** The code with which `call` is refused. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  const outcome = await call.then(
    () => 'resolved',
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(BrokerError);
  return (outcome as BrokerError).code;
}
