/**
 * How the settings of a node become the options of its host and broker. Knows ports, not
 * what is behind them, so that a simulated node is wired like a real one.
 */
import type { BrokerOptions, LeaderCalls } from '../broker/broker-state.ts';
import type { BrokerObserver } from '../broker/observer.ts';
import type { Config } from '../config/schema.ts';
import { asNodeId } from '../core/ids.ts';
import type { RaftConfig } from '../core/raft/config.ts';
import { defaultRaftConfig } from '../core/raft/config.ts';
import type { RunningHost } from '../host/host.ts';
import type { HostObserver, HostOptions } from '../host/options.ts';
import type { Clock } from '../ports/clock.ts';
import type { Network } from '../ports/network.ts';
import type { Random } from '../ports/random.ts';
import type { Advertised } from './ports.ts';
import type { Storage } from './storage.ts';

interface Wiring {
  readonly config: Config;
  readonly storage: Pick<Storage, 'journal' | 'stateStore' | 'identity'>;
  readonly clock: Clock;
  readonly random: Random;
}

export interface HostWiring extends Wiring {
  readonly network: Network;
  readonly observer: HostObserver;
  readonly onFatal: (error: unknown) => void;
}

export function hostOptions({ config, storage, network, clock, random, observer, onFatal }: HostWiring): HostOptions {
  return {
    self: asNodeId(config.node.id),
    journal: storage.journal,
    network,
    stateStore: storage.stateStore,
    clock,
    random,
    raft: raftConfig(config),
    tickMs: config.raft.tickMs,
    // The broker's own bound is met first, and names the setting that can be changed.
    limits: {
      proposalBytesMax: 2 * config.limits.produceBytesInflightMax,
      scrubBytesPerSecond: config.journal.scrubBytesPerSecond,
      scrubPassMs: config.journal.scrubPassMs,
    },
    observer,
    onFatal,
  };
}

function raftConfig({ raft }: Config): Omit<RaftConfig, 'self' | 'seed'> {
  const { tickMs, heartbeatMs, electionMsMin, electionMsMax, appendBytesMax, inflightBytesMax, uncommittedBytesMax } = raft;
  return {
    ...defaultRaftConfig,
    heartbeatTicks: heartbeatMs / tickMs,
    electionTicksMin: Math.ceil(electionMsMin / tickMs),
    electionTicksMax: Math.ceil(electionMsMax / tickMs),
    appendBytesMax,
    inflightBytesMax,
    uncommittedBytesMax,
  };
}

export interface BrokerWiring extends Wiring {
  readonly host: RunningHost;
  readonly addresses: Advertised;
  readonly leaderCalls: LeaderCalls;
  readonly observer: BrokerObserver;
}

export function brokerOptions({ config, storage, host, addresses, leaderCalls, clock, random, observer }: BrokerWiring): BrokerOptions {
  const members = config.cluster.members.length === 0 ? [config.node.id] : config.cluster.members.map(({ id }) => id);
  return {
    host,
    stateStore: storage.stateStore,
    clock,
    random,
    facts: { nodeId: asNodeId(config.node.id), storeId: storage.identity.storeId, zone: config.node.zone, ...addresses },
    members: members.map(asNodeId),
    leaderCalls,
    limits: config.limits,
    topicDefaults: config.topics,
    maintenance: config.maintenance,
    observer,
  };
}
