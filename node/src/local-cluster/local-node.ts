/**
 * One broker process of a local cluster: started, killed and started again under the same
 * addresses and data folder.
 *
 * Invariants: at most one process exists per node; `exited` belongs to the current or last
 * process. The broker has a process group of its own, so Ctrl-C on the terminal reaches
 * only the supervisor, which then stops its nodes in order.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { assert } from '../core/assert.ts';
import type { NodeAddresses } from './addresses.ts';
import { closeLog, openLog } from './node-log.ts';
import { probeReady } from './readiness.ts';

/** How a broker process ended: by its own exit code, or by a signal. */
export interface NodeExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Whether this side asked for it, by `kill` or `stop`. */
  readonly expected: boolean;
}

export interface LocalNode extends NodeAddresses {
  /** 1, 2, ... */
  readonly id: number;
  /** Undefined while no process runs. */
  readonly pid: number | undefined;
  /** Data of this node; survives every restart. */
  readonly dir: string;
  /** Its stdout and stderr with `output: 'file'`. */
  readonly logFile: string;
  /** Settles when the current (or last) process has ended. */
  readonly stopped: Promise<NodeExit>;
  /** How the last process ended; undefined while one runs. */
  readonly lastExit: NodeExit | undefined;
  /** Sends a signal; an exit that follows counts as expected. Nothing happens if no process runs. */
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Starts a new process after the last one has ended. */
  readonly start: () => void;
  /** Asks `/readyz`. */
  readonly isReady: () => Promise<boolean>;
}

export interface LocalNodeOptions extends NodeAddresses {
  readonly id: number;
  readonly dir: string;
  readonly logFile: string;
  /** TypeScript file that the process runs. */
  readonly program: string;
  readonly args: readonly string[];
  /** Program and arguments that start the process in other surroundings and become it: its process id must stay the same. */
  readonly launcher?: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly output: 'file' | 'inherit' | 'ignore';
  readonly onExit: (node: LocalNode, exit: NodeExit) => void;
}

const orphanGuard = new URL('./orphan-guard.ts', import.meta.url).href;

/** Signals after which the process goes on existing. */
const pausing: ReadonlySet<NodeJS.Signals> = new Set(['SIGSTOP', 'SIGCONT', 'SIGUSR1', 'SIGUSR2']);

/** A node without a process; `start` gives it one. */
export function createLocalNode(options: LocalNodeOptions): LocalNode {
  let child: ChildProcess | undefined;
  let exitExpected = false;
  let lastExit: NodeExit | undefined = { code: null, signal: null, expected: true };
  let stopped = Promise.resolve(lastExit);

  const node: LocalNode = {
    id: options.id,
    dir: options.dir,
    logFile: options.logFile,
    clientAddress: options.clientAddress,
    peerAddress: options.peerAddress,
    httpAddress: options.httpAddress,
    get pid() {
      return child?.pid;
    },
    get stopped() {
      return stopped;
    },
    get lastExit() {
      return lastExit;
    },
    kill(signal) {
      exitExpected ||= !pausing.has(signal);
      child?.kill(signal);
    },
    start() {
      assert(child === undefined, 'the node already runs', { id: options.id });
      exitExpected = false;
      lastExit = undefined;
      child = spawnBroker(options);
      stopped = exitOf(child).then((exit) => {
        child = undefined;
        lastExit = { ...exit, expected: exitExpected };
        options.onExit(node, lastExit);
        return lastExit;
      });
    },
    isReady: () => (child === undefined ? Promise.resolve(false) : probeReady(options.httpAddress)),
  };
  return node;
}

function spawnBroker(options: LocalNodeOptions): ChildProcess {
  const target = options.output === 'file' ? openLog(options.logFile) : options.output;
  try {
    const [launch, ...launchArgs] = [...(options.launcher ?? []), process.execPath];
    const child = spawn(launch, [...launchArgs, '--import', orphanGuard, options.program, ...options.args], {
      stdio: ['ignore', target, target, 'ipc'],
      env: options.env,
      detached: true,
    });
    // The channel serves only the orphan guard; it must not keep the supervisor alive.
    child.channel?.unref();
    return child;
  } finally {
    if (typeof target === 'number') closeLog(target);
  }
}

function exitOf(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    // Not even started: there is no 'exit' event then.
    child.once('error', () => child.pid === undefined && resolve({ code: 1, signal: null }));
  });
}
