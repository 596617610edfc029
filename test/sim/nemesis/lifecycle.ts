/** Starts and ends of the nodes' processes, as the nemesis and the end of a run need them. */
import type { RunState } from '../run/run-state.ts';
import { DiskError } from '@balsa/node/ports/disk.ts';
import { exitNameOf } from '@balsa/node/assembly/exit-code.ts';
import { SimFailure } from '../checks/sim-failure.ts';
import { killNode, powerOffNode, type SimNode, startNode, stopNode } from '../world/sim-node.ts';

/** Starts the node's process if it is down. A start that fails for a fault is repeated later, unless only an operator could help. */
export function start(run: RunState, node: SimNode): void {
  if (node.clock !== undefined || run.refused.has(node.id)) return;
  startNode(run.world, node).then(
    () => run.note('started'),
    (error: unknown) => startFailed(run, node, error),
  );
}

function startFailed(run: RunState, node: SimNode, error: unknown): void {
  const exit = exitNameOf(error);
  run.note(`start-failed-${exit}`, String(node.id));
  if (exit === 'DATA_CORRUPT') run.refused.add(node.id);
  if (!isLackOfSpace(error) && !isExcused(run, node, exit)) {
    run.failure ??= new SimFailure(`a start succeeds (${exit})`, `node ${node.id}: ${stackOf(error)}`);
  }
  if (node.life === undefined) killNode(run.world, node);
}

/** A start needs room for a segment; a process that runs has reserved what it needs. */
const isLackOfSpace = (error: unknown): boolean => error instanceof DiskError && error.code === 'ENOSPC';

/** How a process may end for what its disk did. */
const excusedExits: readonly string[] = ['STORAGE_FAILED', 'DATA_CORRUPT'];

export const isExcused = (run: RunState, node: SimNode, exit: string): boolean => run.excused.has(node.id) && excusedExits.includes(exit);

export const stackOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));

export function kill(run: RunState, node: SimNode): void {
  if (node.clock === undefined) return;
  run.checks.beforeEnd(node);
  killNode(run.world, node);
  run.note('killed');
}

/**
 * Damage of the newest batch, and the loss of the page that says that it was synced, leave what a torn
 * tail leaves: nobody can tell. A system writes such a page out within half a minute; here it has done so
 * by the time that a damaged node loses its power.
 */
export function powerOff(run: RunState, node: SimNode): void {
  if (node.clock === undefined) return;
  run.checks.beforeEnd(node);
  const isDamaged = run.atlas.damagedNodes().includes(node.id);
  powerOffNode(run.world, node, isDamaged ? (path) => path.endsWith('/watermark') : undefined);
  run.note('power-lost');
}

/** A graceful stop, which the disk may cut short; whatever else ends the process meanwhile ends the stop. */
export function stop(run: RunState, node: SimNode): void {
  if (node.life === undefined) return;
  const { life } = node;
  stopNode(run.world, node, 1000).then(
    () => run.note('stopped'),
    (error: unknown) => {
      if (node.life !== life) return;
      if (!isExcused(run, node, exitNameOf(error))) run.failure ??= error;
      kill(run, node);
    },
  );
}

export const isUp = (node: SimNode): boolean => node.life !== undefined && !node.life.clock.isPaused();

/** Pauses the process, as SIGSTOP does; its peers' connections stay open until they notice. */
export function pause(run: RunState, node: SimNode): void {
  node.clock?.pause();
  run.note('paused');
}

export function resume(_run: RunState, node: SimNode): void {
  node.clock?.resume();
}
