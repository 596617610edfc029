/** Whole hosts in one process: real host, core and journal over the in-memory disk, network and store, under a virtual clock. */
import { asGroupId, asNodeId, type GroupId, type NodeId } from '@balsa/node/core/ids.ts';
import type { AppliedCommand } from '@balsa/node/core/machines/machine.ts';
import { defaultRaftConfig } from '@balsa/node/core/raft/config.ts';
import { createHost, type RunningHost } from '@balsa/node/host/host.ts';
import type { HostLimits, HostObserver, RepairEvent } from '@balsa/node/host/options.ts';
import { simpleMembership } from '@balsa/node/host/state.ts';
import type { Checkpoint, HostedMachine } from '@balsa/node/host/vocabulary.ts';
import type { GroupMessage, Network, NetworkHandler } from '@balsa/node/ports/network.ts';
import type { Random } from '@balsa/node/ports/random.ts';
import { createMemoryDisk, type MemoryDisk } from '@balsa/node/storage/disk/memory-disk.ts';
import { openJournal, type RepairableJournal } from '@balsa/node/storage/journal/open.ts';
import type { JournalOptions } from '@balsa/node/storage/journal/options.ts';
import { createMemoryStateFolder, type MemoryStateFolder } from '@balsa/node/storage/state/memory-state-store.ts';
import { createMemoryHub, type MemoryHub } from '@balsa/node/transport/memory-network.ts';
import { createVirtualClock, type VirtualClock } from '../../sim/world/virtual-clock.ts';

export const group: GroupId = asGroupId(7);
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);

/** Remembers every command; may forget a prefix, like a partition does with retention. */
export interface ListMachine extends HostedMachine {
  readonly items: () => readonly string[];
  /** The log may start once everything before this position is in a checkpoint. */
  keepFrom: number;
}

export function createListMachine(): ListMachine {
  let items: string[] = [];
  const machine: ListMachine = {
    keepFrom: 0,
    items: () => items,
    apply: (commands: readonly AppliedCommand[]) =>
      commands.map(({ payload }) => {
        items.push(text(payload));
        return items.length - 1;
      }),
    encode: () => bytes(JSON.stringify(items)),
    restore: (state) => {
      items = state === undefined ? [] : JSON.parse(text(state));
    },
    mark: () => items.length,
    takeRows: () => [],
    mayStartAt: (checkpoints: readonly Checkpoint[]) => checkpoints.findLast(({ mark }) => mark <= machine.keepFrom),
  };
  return machine;
}

export interface HostNode {
  readonly id: NodeId;
  host: RunningHost;
  machine: ListMachine;
  journal: RepairableJournal;
  disk: MemoryDisk;
  readonly store: MemoryStateFolder;
  fatal: unknown[];
  up: boolean;
  life: { over: boolean };
  /** What its host told of repairs. */
  repairs: RepairEvent[];
  /** Sees what the host sends. */
  onSend: (messages: readonly GroupMessage[]) => void;
  /** Answers requests for entries in place of the host. */
  answer: NetworkHandler['onReadEntries'] | undefined;
  /** How its host answers them. */
  serve: NetworkHandler['onReadEntries'];
}

export interface HostCluster {
  readonly clock: VirtualClock;
  readonly hub: MemoryHub;
  readonly nodes: readonly HostNode[];
  readonly leader: () => HostNode | undefined;
  /** Waits for a leader that a majority follows. */
  readonly elect: () => Promise<HostNode>;
  /** The process ends at once; unsynced writes are lost. */
  readonly kill: (node: HostNode) => void;
  readonly restart: (node: HostNode) => Promise<void>;
  /** Settles a promise under the virtual clock. */
  readonly settle: <T>(promise: Promise<T>, limitMs?: number) => Promise<T>;
}

const limitMs = 10_000;

function seededRandom(seed: number): Random {
  let state = seed;
  return {
    below: (max) => {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
      return state % max;
    },
    hex: (count) => seed.toString(16).padStart(count * 2, '0'),
  };
}

/** The clock of a process: once its life is over, nothing that it had scheduled happens. */
function mortal(clock: VirtualClock, life: { readonly over: boolean }): VirtualClock {
  const alive = (callback: () => void) => (): void => {
    if (!life.over) callback();
  };
  return {
    ...clock,
    after: (delayMs, callback) => clock.after(delayMs, alive(callback)),
    every: (periodMs, callback) => clock.every(periodMs, alive(callback)),
    nextTurn: (callback) => clock.nextTurn(alive(callback)),
  };
}

/** A node's network with the hooks of the test in between. */
function hooked(network: Network, node: HostNode): Network {
  return {
    ...network,
    start: (handler) => {
      node.serve = handler.onReadEntries;
      network.start({ ...handler, onReadEntries: (from, request) => (node.answer ?? handler.onReadEntries)(from, request) });
    },
    send: (to, messages) => {
      node.onSend(messages);
      network.send(to, messages);
    },
  };
}

export async function startHosts(
  count: number,
  limits: Partial<HostLimits> = {},
  journal: Partial<JournalOptions> = {},
  observerOf: (node: NodeId) => HostObserver = () => ({}),
): Promise<HostCluster> {
  const clock = createVirtualClock();
  const ids = Array.from({ length: count }, (_, i) => asNodeId(i + 1));
  const hub = createMemoryHub({ clock, nodes: ids });
  const boot = async (node: HostNode): Promise<void> => {
    const observer = observerOf(node.id);
    node.life = { over: false };
    node.fatal = [];
    node.machine = createListMachine();
    node.journal = await openJournal({
      disk: node.disk,
      folder: 'journal',
      storeId: `store-${node.id}`,
      segmentBytes: 256 * 1024,
      batchBytesMax: 64 * 1024,
      reserveBytes: 16 * 1024,
      fullFreeBytesMin: 0,
      onFatal: (error) => node.fatal.push(error),
      now: clock.monotonicMs,
      ...journal,
    });
    node.host = createHost({
      self: node.id,
      journal: node.journal,
      network: hooked(hub.attach(node.id), node),
      stateStore: await node.store.open(),
      clock: mortal(clock, node.life),
      random: seededRandom(node.id),
      raft: defaultRaftConfig,
      tickMs: 50,
      limits,
      observer: {
        ...observer,
        onRepair: (event) => {
          node.repairs.push(event);
          observer.onRepair?.(event);
        },
      },
      onFatal: (error) => node.fatal.push(error),
    });
    await node.host.open({ group, generation: 1, birth: simpleMembership(ids), machine: node.machine });
    node.up = true;
  };
  const nodes: HostNode[] = ids.map(
    (id) =>
      ({
        id,
        disk: createMemoryDisk(),
        store: createMemoryStateFolder(),
        fatal: [],
        up: false,
        repairs: [],
        onSend: () => {},
        answer: undefined,
      }) as unknown as HostNode,
  );
  for (const node of nodes) await boot(node);
  const leader = (): HostNode | undefined => {
    const live = nodes.filter(({ up }) => up);
    const leading = live.filter(({ host }) => host.status(group)?.role === 'leader');
    const [only] = leading;
    if (only === undefined) return undefined;
    const followed = live.filter(({ host }) => host.status(group)?.leader === only.id).length;
    return leading.length === 1 && followed * 2 > count ? only : undefined;
  };
  return {
    clock,
    hub,
    nodes,
    leader,
    elect: async () => {
      await clock.until('a leader that a majority follows', () => leader() !== undefined, limitMs);
      return leader()!;
    },
    kill: (node) => {
      node.up = false;
      node.life.over = true;
      hub.crash(node.id);
      node.store.crash();
      node.disk = node.disk.crash(() => false);
    },
    restart: boot,
    settle: async (promise, limit = limitMs) => {
      let done = false;
      const finished = promise.finally(() => {
        done = true;
      });
      finished.catch(() => {});
      await clock.until('a promise', () => done, limit);
      return finished;
    },
  };
}
