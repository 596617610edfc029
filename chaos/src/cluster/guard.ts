/** The harness' side of the guardian process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { assert } from '@balsa/node/core/assert.ts';
import type { Order } from './guard-order.ts';

export interface Guard {
  readonly pid: number | undefined;
  /** The process ends with the harness. */
  readonly own: (pid: number) => void;
  /** It has ended; its number may belong to somebody else from now on. */
  readonly disown: (pid: number) => void;
  /** The folder goes when the guard is released or the harness ends. */
  readonly remove: (folder: string) => void;
  /** The command runs then, after the processes; the last one that was told runs first. It may find nothing to do. */
  readonly undo: (command: readonly string[]) => void;
  readonly isReleased: () => boolean;
  /** Lets the guardian do its duties and waits for its end. */
  readonly release: () => Promise<void>;
}

const program = fileURLToPath(new URL('./guardian.ts', import.meta.url));

export function startGuard(): Guard {
  const guardian = spawn(process.execPath, [program], { stdio: ['pipe', 'ignore', 'inherit'], detached: true });
  const ended = once(guardian, 'exit');
  const { stdin } = guardian;
  // If somebody kills the guardian, the brokers' own guard is left; that is no reason to fail.
  guardian.on('error', () => undefined);
  stdin.on('error', () => undefined);
  let released = false;
  const tell = (order: Order): void => {
    assert(!released, 'the guard is told what to do before it is released', { ...order });
    stdin.write(`${JSON.stringify(order)}\n`);
  };
  return {
    pid: guardian.pid,
    own: (pid) => tell({ own: pid }),
    // Also of processes that the guardian itself has ended.
    disown: (pid) => void (released || tell({ disown: pid })),
    remove: (folder) => tell({ remove: folder }),
    undo: (command) => tell({ undo: command }),
    isReleased: () => released,
    release: async () => {
      released = true;
      stdin.end();
      await ended;
    },
  };
}
