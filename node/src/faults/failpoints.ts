/**
 * Named points: passing one costs a look into a map unless something is armed there.
 *
 * `wait` is for places that can wait; `admit` and `pass` are for synchronous ones, where
 * `sleep` holds the whole event loop, as `block` does everywhere.
 */
import type { FailpointCommand, Loss } from './command.ts';
import type { DroppingPoint, FailpointName, PassingPoint, WaitingPoint } from './failpoint-names.ts';
import { type ActiveFault, countStrike, type FaultBoard, faultsNamed } from './fault-board.ts';
import { never } from './power.ts';

export interface Failpoints {
  /** Rejects with `fail`'s error if an error is armed; never settles if the process is to end here. */
  readonly wait: (point: WaitingPoint, fail: (message: string) => Error) => Promise<void>;
  /** False: the frame must not go on. */
  readonly admit: (point: DroppingPoint) => boolean;
  readonly pass: (point: PassingPoint) => void;
  /** How often each point was passed. */
  readonly passed: () => Readonly<Record<string, number>>;
}

export interface FailpointEnds {
  /** Ends the process at once, without any of its own code running. */
  readonly kill: () => void;
  /** Cuts the power at once: nothing has a consequence from here on. */
  readonly losePower: (loss: Loss) => void;
}

export function createFailpoints(board: FaultBoard, ends: FailpointEnds): Failpoints {
  const passed = new Map<FailpointName, number>();
  const pass = (point: FailpointName): FailpointCommand | undefined => {
    passed.set(point, (passed.get(point) ?? 0) + 1);
    return fire(board, point);
  };
  const now = (point: FailpointName): FailpointCommand | undefined => {
    const command = pass(point);
    if (command === undefined || command.action === 'error') return command;
    if (command.action === 'sleep' || command.action === 'block') blockLoop(command.ms);
    else endProcess(command, ends);
    return command;
  };
  return {
    wait: async (point, fail) => {
      const command = pass(point);
      if (command === undefined) return;
      if (command.action === 'error') throw fail(`failpoint ${point}`);
      if (command.action === 'sleep') await new Promise<void>((resolve) => board.clock.after(command.ms, resolve));
      else if (command.action === 'block') blockLoop(command.ms);
      else {
        endProcess(command, ends);
        await never();
      }
    },
    admit: (point) => {
      const action = now(point)?.action;
      return action === undefined || action === 'sleep' || action === 'block';
    },
    pass: (point) => void now(point),
    passed: () => Object.fromEntries(passed),
  };
}

/** What is to be done at this pass, if anything. */
function fire(board: FaultBoard, point: FailpointName): FailpointCommand | undefined {
  if (board.active.size === 0) return undefined;
  let firing: ActiveFault<FailpointCommand> | undefined;
  for (const fault of faultsNamed(board, 'failpoint')) {
    if (fault.command.point !== point) continue;
    fault.hits++;
    if (fault.hits >= fault.command.hit) firing ??= fault;
  }
  if (firing !== undefined) countStrike(board, firing);
  return firing?.command;
}

function endProcess(command: FailpointCommand, { kill, losePower }: FailpointEnds): void {
  if (command.action === 'panic') kill();
  else losePower(command);
}

/** Holds the event loop. */
export function blockLoop(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)), 0, 0, ms);
}
