/**
 * A host of one node in memory: every proposal commits at once, unless the test says
 * otherwise. Implements the same contract as node/src/host.
 */
import type { GroupId, NodeId, RaftIndex } from '@balsa/node/core/ids.ts';
import { asNodeId, asRaftIndex, asTerm, noNode } from '@balsa/node/core/ids.ts';
import type { Entry } from '@balsa/node/core/raft/entry.ts';
import type { RunningHost } from '@balsa/node/host/host.ts';
import type { GroupSpec, HostedMachine, HostRefusal, LeaderChange, ProposalResult } from '@balsa/node/host/vocabulary.ts';
import { HostError } from '@balsa/node/host/vocabulary.ts';
import type { StateStore } from '@balsa/node/ports/state-store.ts';

interface FakeGroup {
  readonly spec: GroupSpec;
  readonly machine: HostedMachine;
  readonly entries: Entry<Uint8Array>[];
  leader: NodeId;
  term: number;
}

export interface FakeHost extends RunningHost {
  /** Hands the rows over to the store, as a checkpoint of the real host does. */
  readonly checkpoint: (group: GroupId) => Promise<void>;
  /** Another node leads this group from now on (0: nobody). */
  readonly depose: (group: GroupId, leader: number) => void;
  /** Proposals and reads wait until the returned function is called. */
  readonly hold: () => () => void;
  /** The next proposals and confirmations are refused; undefined ends that. */
  refusal: HostRefusal | undefined;
  readonly reads: () => number;
  readonly confirmations: () => number;
}

export function createFakeHost(self: number, stateStore: StateStore): FakeHost {
  const node = asNodeId(self);
  const groups = new Map<GroupId, FakeGroup>();
  const retired = new Set<GroupId>();
  const listeners: ((change: LeaderChange) => void)[] = [];
  let gate: Promise<void> = Promise.resolve();
  let reads = 0;
  let confirmations = 0;

  const led = (group: GroupId): FakeGroup => {
    const found = groups.get(group);
    if (found === undefined) throw new HostError({ reason: 'unknown-group' });
    if (host.refusal !== undefined) throw new HostError(host.refusal);
    if (found.leader !== node) throw new HostError({ reason: 'not-leader', leader: found.leader, term: asTerm(found.term) });
    return found;
  };

  const setLeader = (group: FakeGroup, leader: NodeId): void => {
    group.leader = leader;
    group.term += 1;
    const role = leader === node ? 'leader' : 'follower';
    for (const listener of listeners) listener({ ...group.spec, role, leader, term: asTerm(group.term) });
  };

  const append = (found: FakeGroup, payload: Uint8Array): ProposalResult => {
    const index = asRaftIndex(found.entries.length + 1);
    const term = asTerm(found.term);
    found.entries.push({ kind: 'command', index, term, size: payload.length, payload });
    const [outcome] = found.machine.apply([{ index, term, payload }]);
    return { term, index, outcome, durableCopies: 1 };
  };

  const host: FakeHost = {
    self: node,
    refusal: undefined,
    open: async (spec) => {
      await Promise.resolve();
      spec.machine.restore(undefined);
      const group: FakeGroup = { spec, machine: spec.machine, entries: [], leader: noNode, term: 0 };
      groups.set(spec.group, group);
      setTimeout(() => {
        if (group.leader !== noNode || !spec.birth.voters.includes(node)) return;
        setLeader(group, node);
        // As a real leader does: its term begins with an entry that has no offset.
        group.entries.push({ kind: 'noop', index: asRaftIndex(group.entries.length + 1), term: asTerm(group.term), size: 0 });
      }, 1);
    },
    isKnown: ({ group }) => groups.has(group),
    isRetired: ({ group }) => retired.has(group),
    wasRemoved: async () => false,
    remove: async ({ group }) => {
      groups.delete(group);
    },
    retire: async ({ group }) => {
      retired.add(group);
      groups.delete(group);
    },
    propose: async (group, payload, { durability }) => {
      led(group);
      await gate;
      const { outcome, ...receipt } = append(led(group), payload);
      return { ...receipt, outcome: durability === 'quorum' ? outcome : undefined };
    },
    confirmRead: async (group) => {
      confirmations += 1;
      led(group);
      await gate;
      return asRaftIndex(led(group).entries.length);
    },
    read: async (group, first, last, bytesMax) => {
      reads += 1;
      const found = groups.get(group);
      if (found === undefined) throw new HostError({ reason: 'unknown-group' });
      const taken: Entry<Uint8Array>[] = [];
      let bytes = 0;
      for (const entry of found.entries.slice(first - 1, last)) {
        if (taken.length > 0 && bytes > bytesMax) break;
        bytes += entry.size;
        taken.push(entry);
      }
      return taken;
    },
    status: (group) => {
      const found = groups.get(group);
      if (found === undefined) return undefined;
      const last = asRaftIndex(found.entries.length);
      return {
        ...found.spec,
        role: found.leader === node ? 'leader' : 'follower',
        leader: found.leader,
        term: asTerm(found.term),
        commit: last,
        applied: last,
        durable: last,
        first: asRaftIndex(1),
        last,
        membership: found.spec.birth,
        replicas: [],
        faulty: false,
      };
    },
    groups: () => [...groups.keys()],
    transfer: async (group, target) => {
      setLeader(led(group), target ?? node);
      return target ?? node;
    },
    campaign: () => {},
    changeMembership: async () => {},
    onLeaderChange: (listener) => {
      listeners.push(listener);
    },
    isConnected: () => true,
    stop: async () => {},
    compact: async () => {},
    proposalBytes: () => 0,
    checkpoint: async (group) => {
      const found = groups.get(group);
      if (found !== undefined) await stateStore.write(found.machine.takeRows());
    },
    depose: (group, leader) => {
      const found = groups.get(group);
      if (found !== undefined) setLeader(found, asNodeId(leader));
    },
    hold: () => {
      let release = (): void => {};
      gate = new Promise((resolve) => {
        release = resolve;
      });
      return () => release();
    },
    reads: () => reads,
    confirmations: () => confirmations,
  };
  return host;
}

export type { RaftIndex };
