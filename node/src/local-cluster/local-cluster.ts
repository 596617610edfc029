/**
 * Starts and supervises real broker processes on this machine: `balsa dev`, the demo, the
 * integration tests and the chaos harness all use this.
 *
 * The supervisor owns its children by process id: they end with it, whether it stops
 * them, exits, or is killed. A node that ends unexpectedly is reported and stays down; it
 * is never restarted silently, because a crash is news.
 */
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { nodesMax, reserveAddresses } from './addresses.ts';
import type { NodeAddresses } from './addresses.ts';
import { brokerArguments } from './broker-arguments.ts';
import { LocalClusterError } from './local-cluster-error.ts';
import { createLocalNode } from './local-node.ts';
import type { LocalNode, NodeExit } from './local-node.ts';
import { lastWords } from './node-log.ts';
import { pollUntilReady } from './readiness.ts';

export type { LocalNode, NodeExit } from './local-node.ts';

export interface LocalClusterOptions {
  /** Number of brokers, 1 to 9. */
  readonly nodes: number;
  /** Folder for the data (`node-1/` ...) and the logs (`node-1.log` ...). */
  readonly dir: string;
  /** First client port, or 'free' for ports that nobody else uses. */
  readonly portBase: number | 'free';
  /** More environment for the brokers, for example BALSA_LOG__LEVEL. */
  readonly env?: Readonly<Record<string, string>>;
  /** More arguments for every broker. */
  readonly flags?: readonly string[];
  /** Where stdout and stderr of the brokers go; 'file' by default. */
  readonly output?: 'file' | 'inherit' | 'ignore';
  /** Milliseconds between SIGTERM and SIGKILL in `stop`; 10 s by default. */
  readonly stopTimeoutMs?: number;
  /** Program to run instead of the broker: a stand-in in tests of the supervisor. */
  readonly program?: string;
  /** Called when a process ends without having been asked to. */
  readonly onUnexpectedExit?: (node: LocalNode, exit: NodeExit) => void;
}

export interface LocalCluster extends AsyncDisposable {
  readonly nodes: readonly LocalNode[];
  /** Client addresses of all nodes, separated by commas: what `connect` and BALSA_ADDRESS take. */
  readonly address: string;
  /** Waits until all nodes that run are ready; throws if one of them crashed or the time is over. */
  readonly waitReady: (timeoutMs?: number) => Promise<void>;
  /** Ends every process: SIGTERM first, SIGKILL after `stopTimeoutMs`. The first call counts. */
  readonly stop: () => Promise<void>;
}

const defaultReadyTimeoutMs = 30_000;
/** What a broker may take to hand over its leaderships and close its journal. */
const defaultStopTimeoutMs = 10_000;
/** Where Node keeps compiled sources: without it every start of a broker compiles all of them again. */
const compileCache = path.join(tmpdir(), 'node-compile-cache');
const lastWordsLinesMax = 6;

const brokerProgram = fileURLToPath(new URL('../main.ts', import.meta.url));

/** Starts all nodes and returns at once; `waitReady` waits. */
export async function startLocalCluster(options: LocalClusterOptions): Promise<LocalCluster> {
  if (options.nodes < 1 || options.nodes > nodesMax) {
    throw new LocalClusterError('CONFIG_INVALID', `a local cluster has 1 to ${nodesMax} nodes, not ${options.nodes}`);
  }
  const reserved = await reserveAddresses(options.nodes, options.portBase);
  mkdirSync(options.dir, { recursive: true });
  const nodes = reserved.nodes.map((_, i) => createLocalNode(nodeOptions(options, reserved.nodes, i)));
  const killAll = (): void => nodes.forEach((node) => node.kill('SIGKILL'));
  process.once('exit', killAll);
  for (const node of nodes) node.start();

  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= stopAll(nodes, options.stopTimeoutMs ?? defaultStopTimeoutMs).finally(() => {
      process.off('exit', killAll);
      reserved.release();
    });
    return stopping;
  };
  return {
    nodes,
    address: nodes.map((node) => node.clientAddress).join(','),
    waitReady: (timeoutMs = defaultReadyTimeoutMs) => waitReady(nodes, timeoutMs),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function nodeOptions(options: LocalClusterOptions, addresses: readonly NodeAddresses[], i: number): Parameters<typeof createLocalNode>[0] {
  const own = addresses[i];
  if (own === undefined) throw new RangeError(`no addresses for node ${i + 1}`);
  const id = i + 1;
  const dir = path.resolve(options.dir, `node-${id}`);
  return {
    ...own,
    id,
    dir,
    logFile: path.resolve(options.dir, `node-${id}.log`),
    program: options.program ?? brokerProgram,
    args: [...brokerArguments(id, dir, addresses), ...(options.flags ?? [])],
    env: { NODE_COMPILE_CACHE: compileCache, ...process.env, ...options.env },
    output: options.output ?? 'file',
    onExit: (node, exit) => {
      if (!exit.expected) options.onUnexpectedExit?.(node, exit);
    },
  };
}

async function waitReady(nodes: readonly LocalNode[], timeoutMs: number): Promise<void> {
  const crashed = (): LocalNode | undefined => nodes.find((node) => node.lastExit?.expected === false);
  const running = nodes.filter((node) => node.pid !== undefined);
  const probes = running.map((node) => () => node.isReady());
  const notReady = await pollUntilReady(probes, timeoutMs, () => crashed() !== undefined);
  const ended = crashed();
  if (ended !== undefined) {
    throw new LocalClusterError('INTERNAL', `node ${ended.id} ended by itself:\n${lastWords(ended.logFile, lastWordsLinesMax)}`);
  }
  if (notReady.length === 0) return;
  const late = notReady.map((i) => `node ${running[i]?.id} (log: ${running[i]?.logFile})`).join(', ');
  throw new LocalClusterError('TIMEOUT', `not ready after ${timeoutMs} ms: ${late}`);
}

async function stopAll(nodes: readonly LocalNode[], timeoutMs: number): Promise<void> {
  for (const node of nodes) {
    // A paused process would see SIGTERM only when it goes on.
    node.kill('SIGCONT');
    node.kill('SIGTERM');
  }
  const patience = new AbortController();
  const late = delay(timeoutMs, undefined, { signal: patience.signal })
    .then(() => nodes.forEach((node) => node.kill('SIGKILL')))
    .catch(() => undefined);
  await Promise.all(nodes.map((node) => node.stopped));
  patience.abort();
  await late;
}
