/**
 * Assembles a node: all effects (clock, disk, sockets) enter here and nowhere else.
 *
 * Order of the start: addresses, HTTP (so that /livez answers during recovery), storage,
 * network and host, broker, client API. The stop goes the other way, after leaderships
 * were handed over.
 */
import path from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { Broker } from '../broker/broker.ts';
import { createBroker } from '../broker/broker.ts';
import type { Config } from '../config/schema.ts';
import type { Endpoint } from '../config/units.ts';
import { formatEndpoint } from '../config/units.ts';
import type { GroupId, NodeId } from '../core/ids.ts';
import { asNodeId, noNode } from '../core/ids.ts';
import { createClientServer } from '../edges/grpc/client-server.ts';
import { createLeaderCalls } from '../edges/grpc/leader-calls.ts';
import type { HttpEdge, HttpEdgeOptions } from '../edges/http/http-server.ts';
import { createHttpEdge } from '../edges/http/http-server.ts';
import type { RunningHost } from '../host/host.ts';
import { createHost } from '../host/host.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { scrape } from '../telemetry/scrape.ts';
import { peerServerOptions } from '../transport/channel-options.ts';
import type { GrpcNetwork } from '../transport/grpc-network.ts';
import { createGrpcNetwork } from '../transport/grpc-network.ts';
import { brokerObserver, edgeObserver, hostObserver, journalObserver, transportObserver } from './observers.ts';
import type { Advertised, ListenAddresses } from './ports.ts';
import { addressFailure, advertisedAddresses, claimAddresses } from './ports.ts';
import type { Storage, StorageOptions } from './storage.ts';
import { noteClusterId, openStorage, startReclaim, stateFolderOf } from './storage.ts';
import { realSurroundings, type Surroundings } from './surroundings.ts';
import { systemClock, systemRandom } from './system-clock.ts';
import { withTrace } from './trace-file.ts';
import { brokerOptions, hostOptions } from './wiring.ts';

export interface NodeOptions {
  readonly config: Config;
  readonly version: string;
  readonly log: Logger;
  /** Takes commands that hurt this node; never where data matters. */
  readonly unsafeFaults: boolean;
  /** The node cannot go on: the process must end. Called at most once. */
  readonly onFatal: (error: unknown) => void;
}

export interface RunningNode {
  readonly addresses: Advertised;
  readonly broker: Broker;
  /** Hands leaderships over, answers what is under way, closes the data folder. */
  readonly stop: () => Promise<void>;
}

interface Parts extends NodeOptions {
  readonly around: Surroundings;
  readonly metrics: Metrics;
  readonly addresses: Advertised;
  readonly listening: ListenAddresses;
  readonly storage: Storage;
  readonly network: GrpcNetwork;
  readonly host: RunningHost;
}

/** Rejects with what exit-code.ts can translate. */
export async function startNode(nodeOptions: NodeOptions): Promise<RunningNode> {
  const options = { ...nodeOptions, onFatal: once(nodeOptions.onFatal) };
  const { config, log } = options;
  const listening = await claimAddresses(config);
  const metrics = createMetrics();
  const around = await surroundingsOf(options, metrics);
  // HTTP and the network answer before these exist.
  const late: { broker?: Broker; parts?: Parts } = {};
  const http = await startHttp(listening.http, log, {
    faults: around.faultsPage,
    checks: () => late.broker?.readiness() ?? [{ name: 'started', problem: 'the node is reading its journal' }],
    metrics: async () =>
      late.broker === undefined || late.parts === undefined
        ? { contentType: metrics.registry.contentType, text: await metrics.registry.metrics() }
        : scrape(metrics, scrapeSources(late.parts, late.broker)),
  });
  const storageOptions = storageOptionsOf(options, around, metrics);
  const storage = await openStorage(storageOptions);
  const peers = await createPeers(options, storage, () => late.broker);
  const addresses = advertisedAddresses(config, listening);
  const { network } = peers;
  const onTraceFailed = (error: unknown): void => log.warn({ err: error }, 'the trace ends here: its file cannot be written');
  const observer = around.observer(withTrace(hostObserver(metrics, log), config, onTraceFailed));
  const { clock, random } = around;
  const wiring = { config, storage, network: around.network(network), clock, random, observer, onFatal: options.onFatal };
  const host = around.host(createHost(hostOptions(wiring)));
  const parts = { ...options, around, metrics, addresses, listening, storage, network, host };
  const { broker, closeLeaderCalls } = buildBroker(parts);
  Object.assign(late, { broker, parts });
  await peers.listen(listening.peer);
  const running = await startBroker(parts, broker);
  const stopReclaim = startReclaim(storage, storageOptions);
  return {
    addresses,
    broker,
    stop: async () => {
      stopReclaim();
      broker.stop();
      await host.stop({ handOverMs: handOverMs(config) });
      await running.stopClients();
      closeLeaderCalls();
      await peers.stop();
      await http.stop();
      await storage.close();
    },
  };
}

/** Half of the time of a stop is for handing over; the rest for closing. */
const handOverMs = ({ maintenance }: Config): number => Math.min(2000, maintenance.stopMs / 2);
const clientGraceMs = 500;

function once(report: (error: unknown) => void): (error: unknown) => void {
  let reported = false;
  return (error) => {
    if (reported) return;
    reported = true;
    report(error);
  };
}

/** The code that hurts is not even loaded unless it was asked for. */
async function surroundingsOf({ config, log, unsafeFaults }: NodeOptions, { gauges }: Metrics): Promise<Surroundings> {
  gauges.unsafeFaults.set(unsafeFaults ? 1 : 0);
  if (!unsafeFaults) return realSurroundings;
  log.warn('started with --unsafe-faults: /faults takes commands that destroy data; never use this where data matters');
  const { faultySurroundings } = await import('../faults/faulty-surroundings.ts');
  const dataFolder = path.resolve(config.data.dir);
  return faultySurroundings(realSurroundings, { dataFolder, stateFolder: stateFolderOf(dataFolder), log });
}

async function startHttp({ host, port }: Endpoint, log: Logger, answers: Omit<HttpEdgeOptions, 'onUnexpected'>): Promise<HttpEdge> {
  const edge = createHttpEdge({ ...answers, onUnexpected: (error) => log.error({ err: error }, 'an HTTP request failed unexpectedly') });
  await edge.listen(host, port);
  return edge;
}

function storageOptionsOf({ config, log, onFatal }: NodeOptions, around: Surroundings, metrics: Metrics): StorageOptions {
  const { disk, stateFolders, clock, random } = around;
  return { config, disk, stateFolders, clock, random, log, onJournalEvent: journalObserver(metrics, log), onFatal };
}

const otherMembers = ({ cluster, node }: Config): Config['cluster']['members'] => cluster.members.filter(({ id }) => id !== node.id);

/** Node-to-node network and the server on which peers subscribe. */
async function createPeers({ config, log }: NodeOptions, { identity }: Storage, broker: () => Broker | undefined) {
  const network = createGrpcNetwork({
    self: asNodeId(config.node.id),
    clusterId: () => broker()?.clusterId() || identity.clusterId,
    storeId: identity.storeId,
    peers: otherMembers(config).map(({ id, peer }) => ({ nodeId: asNodeId(id), address: peer })),
    verifyPeer: (node, storeId) => broker()?.verifyPeer(node, storeId) ?? 'ok',
    clock: systemClock,
    random: systemRandom,
    onEvent: transportObserver(log),
  });
  const server = new Server(peerServerOptions());
  network.register(server);
  return {
    network,
    listen: (endpoint: Endpoint) => listenOn(server, endpoint, 'listen.peer'),
    stop: async () => {
      await network.stop();
      server.forceShutdown();
    },
  };
}

function listenOn(server: Server, endpoint: Endpoint, key: string): Promise<void> {
  const address = formatEndpoint(endpoint);
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(addressFailure(key, address, error)),
    );
  });
}

function buildBroker(parts: Parts): { readonly broker: Broker; readonly closeLeaderCalls: () => void } {
  const { config, storage, host, addresses, around, metrics, log } = parts;
  const { clock, random } = around;
  const addressOf = (node: NodeId): string | undefined =>
    broker.clientAddressOf(node) ?? config.cluster.members.find(({ id }) => id === node)?.client;
  const { close, ...leaderCalls } = createLeaderCalls(addressOf);
  const observer = brokerObserver(metrics, log);
  const broker = around.broker(createBroker(brokerOptions({ config, storage, host, addresses, leaderCalls, clock, random, observer })));
  countLeaderChanges(host, metrics);
  return { broker, closeLeaderCalls: close };
}

/** Roles and terms change more often; what matters outside is who leads. */
function countLeaderChanges(host: RunningHost, { counters }: Metrics): void {
  const leaders = new Map<GroupId, NodeId>();
  host.onLeaderChange(({ group, leader }) => {
    if (leader === noNode || leaders.get(group) === leader) return;
    leaders.set(group, leader);
    counters.leaderChanges.inc();
  });
}

async function startBroker(parts: Parts, broker: Broker): Promise<{ readonly stopClients: () => Promise<void> }> {
  const { config, storage, metrics, log, listening, onFatal } = parts;
  noteClusterId(storage, broker, onFatal);
  const { joined } = await broker.start();
  joined.catch(onFatal);
  const clients = createClientServer({
    broker,
    limits: config.limits,
    observer: edgeObserver(metrics, log, systemClock.monotonicMs),
    measures: () => measure(parts),
  });
  const address = formatEndpoint(listening.client);
  await clients.listen(address).catch((error: NodeJS.ErrnoException) => Promise.reject(addressFailure('listen.client', address, error)));
  return { stopClients: () => clients.stop(clientGraceMs) };
}

async function measure({ storage, version }: Parts) {
  return {
    version,
    uptimeMs: Math.round(process.uptime() * 1000),
    memoryBytes: process.memoryUsage.rss(),
    journalBytes: storage.journal.stats().bytes,
    diskFreeBytes: await storage.freeBytes(),
  };
}

function scrapeSources({ storage, network, host }: Parts, broker: Broker): Parameters<typeof scrape>[1] {
  return { broker, journal: storage.journal.stats, peers: network.stats, proposalBytes: host.proposalBytes };
}
