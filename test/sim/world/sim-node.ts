/**
 * One node of the world: what outlives its processes (disk, state folder), and the process
 * that runs now. The process is the production broker from storage to client API, wired as
 * the real one is (assembly/wiring.ts, assembly/storage.ts), over the twins.
 */
import { noteClusterId, openStorage, startReclaim, type Storage } from '@balsa/node/assembly/storage.ts';
import { brokerOptions, hostOptions } from '@balsa/node/assembly/wiring.ts';
import { type Broker, createBroker } from '@balsa/node/broker/broker.ts';
import type { BrokerEvent } from '@balsa/node/broker/observer.ts';
import type { Config } from '@balsa/node/config/schema.ts';
import { asNodeId, type NodeId } from '@balsa/node/core/ids.ts';
import { createHost, type RunningHost } from '@balsa/node/host/host.ts';
import type { HostLimits, HostObserver } from '@balsa/node/host/options.ts';
import type { GroupSpec, GroupStatus, LeaderChange } from '@balsa/node/host/vocabulary.ts';
import { type Network, PeerUnavailable } from '@balsa/node/ports/network.ts';
import type { JournalEvent } from '@balsa/node/storage/journal/options.ts';
import type { MemoryStateFolder } from '@balsa/node/storage/state/memory-state-store.ts';
import type { MemoryHub } from '@balsa/node/transport/memory-network.ts';
import { brokerService } from './broker-service.ts';
import type { ClientNetwork } from './client-network.ts';
import { simLeaderCalls } from './leader-calls.ts';
import type { SimDisk } from './disk/sim-disk.ts';
import { clientAddressOf } from './node-config.ts';
import { createProcessClock, type ProcessClock, type ProcessClockOptions } from './process-clock.ts';
import type { Stream } from './random-streams.ts';
import { silentLog } from './silent-log.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** A process of a node. */
export interface Life {
  readonly clock: ProcessClock;
  readonly storage: Storage;
  readonly host: RunningHost;
  readonly broker: Broker;
  /** Counts the processes of this node, from 1. */
  readonly number: number;
}

export interface SimNode {
  readonly id: NodeId;
  readonly config: Config;
  /** Limits of the host that have no setting. */
  readonly hostLimits: Partial<HostLimits>;
  readonly clockOptions: ProcessClockOptions;
  readonly stateFolder: MemoryStateFolder;
  disk: SimDisk;
  /** Undefined while the node is down; a start is under way if `clock` is alive. */
  life: Life | undefined;
  clock: ProcessClock | undefined;
  lives: number;
}

/** What a process tells the checks. Synchronous; may throw, which fails the run. */
export interface NodeWatch {
  readonly host: (node: SimNode) => HostObserver;
  /** Wraps what the host is given, to see what is applied. */
  readonly group: (node: SimNode, spec: GroupSpec) => GroupSpec;
  readonly onOpened: (node: SimNode, status: GroupStatus | undefined) => void;
  readonly onLeaderChange: (node: SimNode, change: LeaderChange) => void;
  readonly onJournalEvent: (node: SimNode, event: JournalEvent) => void;
  readonly onBrokerEvent: (node: SimNode, event: BrokerEvent) => void;
  /** A request failed in a way that no error code stands for. */
  readonly onUnexpected: (node: SimNode, error: unknown) => void;
  /** The process ended itself. */
  readonly onFatal: (node: SimNode, error: unknown) => void;
}

export interface NodeWorld {
  readonly clock: VirtualClock;
  readonly hub: MemoryHub;
  readonly clients: ClientNetwork;
  readonly random: (name: string) => Stream;
  readonly watch: NodeWatch;
}

/** Starts the node's process; resolves when its broker has started, rejects if it cannot (and the process has ended). */
export async function startNode(world: NodeWorld, node: SimNode): Promise<void> {
  const clock = createProcessClock(world.clock, node.clockOptions);
  node.clock = clock;
  node.lives += 1;
  const number = node.lives;
  const random = world.random(`node-${node.id}-${number}`);
  let hasFailed = false;
  const onFatal = (error: unknown): void => {
    if (clock.isDead() || hasFailed) return;
    hasFailed = true;
    world.watch.onFatal(node, error);
  };
  node.disk.attach(clock);
  const storage = await openNodeStorage(world, node, { clock, random, onFatal });
  const network = gated(world.hub.attach(node.id), clock);
  const wiring = { config: node.config, storage, clock, random };
  const options = hostOptions({ ...wiring, network, observer: world.watch.host(node), onFatal });
  const host = watched(world, node, createHost({ ...options, limits: { ...options.limits, ...node.hostLimits } }));
  const address = clientAddressOf(node.id);
  const transport = world.clients.transport(address, clock);
  const addresses = { clientAddress: address, peerAddress: `node${node.id}:7080`, httpAddress: '' };
  const observer = { onProduced: () => {}, onFetched: () => {}, onEvent: (event: BrokerEvent) => world.watch.onBrokerEvent(node, event) };
  const broker = createBroker(brokerOptions({ ...wiring, host, addresses, leaderCalls: simLeaderCalls(transport), observer }));
  noteClusterId(storage, broker, onFatal);
  const { joined } = await broker.start();
  joined.catch(onFatal);
  world.clients.serve(address, clientService(world, node, broker, clock));
  startReclaim(storage, { config: node.config, clock, log: silentLog });
  node.life = { clock, storage, host, broker, number };
}

interface Process {
  readonly clock: ProcessClock;
  readonly random: Stream;
  readonly onFatal: (error: unknown) => void;
}

function openNodeStorage(world: NodeWorld, node: SimNode, { clock, random, onFatal }: Process): Promise<Storage> {
  const { config, disk, stateFolder } = node;
  const stateFolders = { open: () => stateFolder.open(), discard: async () => stateFolder.discard() };
  const onJournalEvent = (event: JournalEvent): void => world.watch.onJournalEvent(node, event);
  return openStorage({ config, disk, stateFolders, clock, random, log: silentLog, onJournalEvent, onFatal });
}

/** A process hears of the network in its own time. */
function gated(network: Network, clock: ProcessClock): Network {
  return {
    ...network,
    start: (handler) =>
      network.start({
        onMessages: (from, messages) => clock.enter(() => handler.onMessages(from, messages)),
        onPeerUp: (peer) => clock.enter(() => handler.onPeerUp(peer)),
        onPeerLost: (peer) => clock.enter(() => handler.onPeerLost(peer)),
        onReadEntries: (from, request) =>
          new Promise((resolve, reject) => clock.enter(() => void handler.onReadEntries(from, request).then(resolve, reject))),
      }),
    readEntries: (peer, request) =>
      new Promise((resolve, reject) => {
        const giveUp = clock.after(readEntriesMs, () => reject(new PeerUnavailable(`node ${peer} does not answer`)));
        void network
          .readEntries(peer, request)
          .finally(giveUp)
          .then(
            (answer) => clock.enter(() => resolve(answer)),
            (error: unknown) => clock.enter(() => reject(error)),
          );
      }),
  };
}

/** A peer that died with a request has not refused it. */
const readEntriesMs = 5000;

function watched({ watch }: NodeWorld, node: SimNode, host: RunningHost): RunningHost {
  host.onLeaderChange((change) => watch.onLeaderChange(node, change));
  return {
    ...host,
    open: async (spec) => {
      await host.open(watch.group(node, spec));
      watch.onOpened(node, host.status(spec.group));
    },
  };
}

function clientService(world: NodeWorld, node: SimNode, broker: Broker, clock: ProcessClock) {
  const observer = {
    onRefused: () => {},
    onRequest: () => {},
    onStreams: () => {},
    onUnexpected: (error: unknown) => {
      if (!clock.isDead()) world.watch.onUnexpected(node, error);
    },
  };
  const measures = async () => ({ version: 'simulated', uptimeMs: 0, memoryBytes: 0, journalBytes: 0, diskFreeBytes: 0 });
  return brokerService({ broker, limits: node.config.limits, observer, measures }, clock);
}

/** The end of the process, whatever ended it: nothing that it had scheduled happens. */
function endProcess(world: NodeWorld, node: SimNode): void {
  node.clock?.kill();
  node.clock = undefined;
  node.life = undefined;
  world.hub.crash(node.id);
  world.clients.stop(clientAddressOf(node.id));
}

/** SIGTERM: hands leaderships over, closes the data folder, ends. */
export async function stopNode(world: NodeWorld, node: SimNode, handOverMs: number): Promise<void> {
  const { life } = node;
  if (life === undefined) return;
  life.broker.stop();
  await life.host.stop({ handOverMs });
  await life.storage.close();
  if (node.life === life) killNode(world, node);
}

/** kill -9, or an exit: the operating system keeps what was written. */
export function killNode(world: NodeWorld, node: SimNode): void {
  endProcess(world, node);
  node.stateFolder.crash(node.stateFolder.unflushedBatches());
  node.disk = node.disk.kill();
}

/** Power failure: unsynced writes are lost, kept or torn as chance has it. */
export function powerOffNode(world: NodeWorld, node: SimNode, spares?: (path: string) => boolean): void {
  endProcess(world, node);
  const random = world.random(`power-${node.id}`);
  node.stateFolder.crash(random.below(node.stateFolder.unflushedBatches() + 1));
  node.disk = node.disk.powerOff(spares === undefined ? {} : { spares });
}

export type NodeParts = Pick<SimNode, 'config' | 'hostLimits' | 'disk' | 'stateFolder' | 'clockOptions'>;

export const newNode = (parts: NodeParts): SimNode => ({
  ...parts,
  id: asNodeId(parts.config.node.id),
  life: undefined,
  clock: undefined,
  lives: 0,
});
