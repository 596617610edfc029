/**
 * One broker under faults: a process, what was done to it, and how its earlier processes
 * ended. Thin on top of a node of a local cluster; adds pauses that are known to have taken
 * effect, incarnations and the list of exits.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { assert } from '@balsa/node/core/assert.ts';
import { createLocalNode, type LocalNode, type LocalNodeOptions, type NodeExit } from '@balsa/node/local-cluster/local-node.ts';
import type { Guard } from './guard.ts';
import { type ProcessState, processState } from './process-state.ts';

/** `down`: no process. `stopping`: asked to end gracefully. */
export type NodeState = 'running' | 'paused' | 'stopping' | 'down';

/** How the process number `incarnation` of a node ended. */
export interface Ending extends NodeExit {
  readonly incarnation: number;
  readonly pid: number;
}

export interface ChaosNode {
  readonly id: number;
  /** Where clients reach it. */
  readonly clientAddress: string;
  /** Health and metrics; behind no link. */
  readonly httpAddress: string;
  /** Where it listens. */
  readonly listens: { readonly client: string; readonly peer: string };
  readonly dir: string;
  readonly logFile: string;
  readonly pid: () => number | undefined;
  readonly state: () => NodeState;
  /** 1 for the first process, one more for each that was started after it. */
  readonly incarnation: () => number;
  /** Of all ended processes, oldest first. */
  readonly endings: () => readonly Ending[];
  readonly isReady: () => Promise<boolean>;
  /** SIGKILL; settles when the process is gone. A node without a process has no ending to give. */
  readonly kill: () => Promise<Ending | undefined>;
  /** SIGSTOP; settles when the system shows it stopped. */
  readonly pause: () => Promise<void>;
  /** SIGCONT; settles when it runs. */
  readonly resume: () => Promise<void>;
  /** SIGTERM, and SIGKILL if that is not obeyed in time. A paused process goes on for it. */
  readonly stop: (timeoutMs?: number) => Promise<Ending | undefined>;
  /** Sent and forgotten, for a fault that keeps its own account; nothing happens without a process. */
  readonly signal: (signal: 'SIGSTOP' | 'SIGCONT') => void;
  /** Another process with the same addresses and data; it is not ready yet. */
  readonly start: () => void;
}

interface NodeRecord {
  readonly local: LocalNode;
  readonly guard: Guard;
  readonly endings: Ending[];
  incarnation: number;
  state: NodeState;
}

export interface ChaosNodeOptions extends Omit<LocalNodeOptions, 'onExit'> {
  /** Where clients reach it, if not where it listens. */
  readonly advertised: string;
  readonly guard: Guard;
  readonly onEnded: (node: ChaosNode, ending: Ending) => void;
}

const stopTimeoutMsDefault = 15_000;
/** Signals take effect within microseconds, on a busy machine within milliseconds. */
const signalMsMax = 5_000;
const pollMs = 2;

export function createChaosNode({ advertised, guard, onEnded, ...options }: ChaosNodeOptions): ChaosNode {
  let pid = 0;
  const local = createLocalNode({ ...options, onExit: (_, exit) => ended(exit) });
  const record: NodeRecord = { local, guard, endings: [], incarnation: 0, state: 'down' };
  const ended = (exit: NodeExit): void => {
    guard.disown(pid);
    const ending = { ...exit, incarnation: record.incarnation, pid };
    record.endings.push(ending);
    record.state = 'down';
    onEnded(node, ending);
  };
  const node: ChaosNode = {
    id: options.id,
    clientAddress: advertised,
    httpAddress: options.httpAddress,
    listens: { client: options.clientAddress, peer: options.peerAddress },
    dir: options.dir,
    logFile: options.logFile,
    pid: () => local.pid,
    state: () => record.state,
    incarnation: () => record.incarnation,
    endings: () => record.endings,
    isReady: () => local.isReady(),
    kill: () => end(record, 'SIGKILL'),
    pause: () => pause(record),
    resume: () => resume(record),
    stop: (timeoutMs = stopTimeoutMsDefault) => stop(record, timeoutMs),
    signal: (signal) => local.kill(signal),
    start: () => {
      assert(!guard.isReleased(), 'a node is not started after the end of its cluster', { id: options.id });
      local.start();
      pid = local.pid ?? 0;
      if (local.pid !== undefined) guard.own(pid);
      record.incarnation += 1;
      record.state = 'running';
    },
  };
  return node;
}

async function end({ local, endings }: NodeRecord, signal: NodeJS.Signals): Promise<Ending | undefined> {
  if (local.pid === undefined) return undefined;
  local.kill(signal);
  await local.stopped;
  return endings.at(-1);
}

async function pause(record: NodeRecord): Promise<void> {
  assert(record.state === 'running', 'only a running node can be paused', { id: record.local.id, state: record.state });
  record.state = 'paused';
  record.local.kill('SIGSTOP');
  await untilProcess(record, 'paused');
}

async function resume(record: NodeRecord): Promise<void> {
  assert(record.state === 'paused', 'only a paused node can go on', { id: record.local.id, state: record.state });
  record.local.kill('SIGCONT');
  await untilProcess(record, 'running');
  // It may have been killed meanwhile.
  if (record.local.pid !== undefined) record.state = 'running';
}

async function stop(record: NodeRecord, timeoutMs: number): Promise<Ending | undefined> {
  if (record.local.pid === undefined) return undefined;
  if (record.state === 'paused') record.local.kill('SIGCONT');
  record.state = 'stopping';
  const late = setTimeout(() => record.local.kill('SIGKILL'), timeoutMs);
  try {
    return await end(record, 'SIGTERM');
  } finally {
    clearTimeout(late);
  }
}

/** Also over when the process has ended. */
async function untilProcess({ local }: NodeRecord, wanted: ProcessState): Promise<void> {
  const endMs = performance.now() + signalMsMax;
  while (local.pid !== undefined && (await processState(local.pid)) !== wanted) {
    if (performance.now() > endMs) throw new Error(`the process of node ${local.id} is not ${wanted} after ${signalMsMax} ms`);
    await delay(pollMs);
  }
}
