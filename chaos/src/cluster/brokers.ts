/** The brokers of a cluster under faults, whatever the network between them is made of. */
import { mkdirSync, mkdtempSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { assert } from '@balsa/node/core/assert.ts';
import { type NodeAddresses, nodesMax } from '@balsa/node/local-cluster/addresses.ts';
import { lastWords } from '@balsa/node/local-cluster/node-log.ts';
import { pollUntilReady } from '@balsa/node/local-cluster/readiness.ts';
import { type BrokerConfig, brokerCommand, type Paths } from './broker-command.ts';
import { type ChaosNode, createChaosNode, type Ending } from './chaos-node.ts';
import type { Guard } from './guard.ts';

export interface BrokerOptions {
  readonly nodes: number;
  /** Data (`node-1/` ...) and logs (`node-1.log` ...); a new temporary folder by default. */
  readonly folder?: string;
  /** Whether the folder stays; by default one that was named does, a temporary one does not. */
  readonly keep?: boolean;
  /** Settings of every broker. */
  readonly config?: BrokerConfig;
  /** More arguments for one broker. */
  readonly brokerArguments?: (node: number) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Longest wait for all nodes to be ready. */
  readonly readyMsMax?: number;
  readonly onEnded?: (node: ChaosNode, ending: Ending) => void;
}

export interface Brokers {
  readonly folder: string;
  readonly nodes: readonly ChaosNode[];
  readonly node: (id: number) => ChaosNode;
  /** Client addresses of all nodes, separated by commas: what `connect` takes. */
  readonly address: string;
  /** Waits until these nodes (all that have a process, by default) say that they are ready. */
  readonly untilReady: (nodes?: readonly ChaosNode[], timeoutMs?: number) => Promise<void>;
}

/** Where and how the brokers run. */
export interface Surroundings {
  readonly addresses: readonly NodeAddresses[];
  readonly paths: Paths;
  readonly guard: Guard;
  /** Program and arguments in front of the broker's; they keep its process id. */
  readonly launcher?: (node: number) => readonly string[];
}

const readyMsMaxDefault = 60_000;
const stopMsMax = 15_000;
const lastWordsLinesMax = 6;
/** Where Node keeps compiled sources; without it every start of a broker compiles all of them again. */
const compileCache = path.join(tmpdir(), 'node-compile-cache');
const brokerProgram = createRequire(import.meta.url).resolve('@balsa/node/main.ts');

export function assertNodeCount(nodes: number): void {
  assert(nodes >= 1 && nodes <= nodesMax, `a cluster on one machine has 1 to ${nodesMax} nodes`, { nodes });
}

/** Brokers without a process; `startBrokers` gives them one. */
export function createBrokers(options: BrokerOptions, surroundings: Surroundings): Brokers {
  const folder = claimFolder(options, surroundings.guard);
  const nodes = surroundings.addresses.map((own, i) => createNode(i + 1, own, options, folder, surroundings));
  return {
    folder,
    nodes,
    node: (id) => {
      const node = nodes[id - 1];
      assert(node !== undefined, 'there is no such node', { id });
      return node;
    },
    address: nodes.map(({ clientAddress }) => clientAddress).join(','),
    untilReady: (some = nodes.filter((node) => node.state() !== 'down'), timeoutMs = readyMsMaxDefault) => untilReady(some, timeoutMs),
  };
}

/** Settles when all are ready. */
export async function startBrokers({ nodes, untilReady: ready }: Brokers, { readyMsMax }: BrokerOptions): Promise<void> {
  for (const node of nodes) node.start();
  await ready(nodes, readyMsMax);
}

export async function stopBrokers({ nodes }: Brokers): Promise<void> {
  await Promise.all(nodes.map((node) => node.stop(stopMsMax)));
}

function claimFolder({ folder, keep }: BrokerOptions, guard: Guard): string {
  const claimed = folder === undefined ? mkdtempSync(path.join(tmpdir(), 'balsa-chaos-')) : path.resolve(folder);
  mkdirSync(claimed, { recursive: true });
  if (!(keep ?? folder !== undefined)) guard.remove(claimed);
  return claimed;
}

function createNode(
  id: number,
  own: NodeAddresses,
  { config = {}, brokerArguments, env, onEnded }: BrokerOptions,
  folder: string,
  { addresses, paths, guard, launcher }: Surroundings,
): ChaosNode {
  const dir = path.join(folder, `node-${id}`);
  return createChaosNode({
    ...own,
    id,
    dir,
    logFile: path.join(folder, `node-${id}.log`),
    program: brokerProgram,
    args: [...brokerCommand(id, dir, addresses, paths, config), ...(brokerArguments?.(id) ?? [])],
    launcher: launcher?.(id) ?? [],
    env: { NODE_COMPILE_CACHE: compileCache, ...process.env, ...env },
    output: 'file',
    advertised: paths.client(id),
    guard,
    onEnded: (node, ending) => onEnded?.(node, ending),
  });
}

async function untilReady(nodes: readonly ChaosNode[], timeoutMs: number): Promise<void> {
  const down = (): readonly ChaosNode[] => nodes.filter((node) => node.state() === 'down');
  const probes = nodes.map((node) => () => node.isReady());
  const late = await pollUntilReady(probes, timeoutMs, () => down().length > 0);
  for (const node of down()) {
    const { code, signal } = node.endings().at(-1) ?? { code: null, signal: null };
    throw new Error(`node ${node.id} ended (${signal ?? code}) instead of becoming ready:\n${lastWords(node.logFile, lastWordsLinesMax)}`);
  }
  if (late.length === 0) return;
  const named = late.map((i) => `node ${nodes[i]?.id} (log: ${nodes[i]?.logFile})`).join(', ');
  throw new Error(`not ready after ${timeoutMs} ms: ${named}`);
}
