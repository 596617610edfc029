/**
 * Which faults are active, and how often each struck: the proof for whoever asked for them.
 *
 * Faults end by their time to live, by `heal`, or after their last strike. Bounds: at most
 * `activeMax` at a time; the last `endedMax` that ended are remembered with their counts.
 */
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { LastingCommand } from './command.ts';

const activeMax = 100;
const endedMax = 100;
const million = 1_000_000;

export interface ActiveFault<Command extends LastingCommand = LastingCommand> {
  readonly id: number;
  readonly command: Command;
  /** Monotonic. */
  readonly endsMs: number;
  struck: number;
  /** Hits of a failpoint since it was armed. */
  hits: number;
  /** Bytes by which files may still grow; of `disk-full` only. */
  roomBytes: number;
  /** Resolves when the fault ends. */
  readonly ended: Promise<void>;
  readonly end: () => void;
}

export interface FaultBoard {
  readonly clock: Clock;
  readonly random: Random;
  readonly active: Map<number, ActiveFault>;
  readonly past: ActiveFault[];
  /** Strikes by name of the fault, over all that ever were. */
  readonly struck: Map<string, number>;
  nextId: number;
}

export class TooManyFaults extends Error {
  override readonly name: string = 'TooManyFaults';
}

export const createFaultBoard = (clock: Clock, random: Random): FaultBoard => ({
  clock,
  random,
  active: new Map(),
  past: [],
  struck: new Map(),
  nextId: 1,
});

/** Throws TooManyFaults. */
export function addFault(board: FaultBoard, command: LastingCommand): ActiveFault {
  if (board.active.size >= activeMax) throw new TooManyFaults(`${activeMax} faults are active; heal some first`);
  const { promise, resolve } = Promise.withResolvers<void>();
  const id = board.nextId++;
  const cancel = board.clock.after(command.ttlMs, () => healFaults(board, id));
  const fault: ActiveFault = {
    id,
    command,
    endsMs: board.clock.monotonicMs() + command.ttlMs,
    struck: 0,
    hits: 0,
    roomBytes: command.fault === 'disk-full' ? command.bytes : 0,
    ended: promise,
    end: () => {
      cancel();
      resolve();
    },
  };
  board.active.set(id, fault);
  return fault;
}

/** Ends one fault, or all; returns how many. */
export function healFaults(board: FaultBoard, id?: number): number {
  const faults = [...board.active.values()].filter((fault) => id === undefined || fault.id === id);
  for (const fault of faults) {
    board.active.delete(fault.id);
    fault.end();
    board.past.push(fault);
    if (board.past.length > endedMax) board.past.shift();
  }
  return faults.length;
}

type CommandNamed = { readonly [Command in LastingCommand as Command['fault']]: Command };
type Named<Name extends keyof CommandNamed> = ActiveFault<CommandNamed[Name]>;

export function faultsNamed<Name extends keyof CommandNamed>(board: FaultBoard, name: Name): readonly Named<Name>[] {
  return [...board.active.values()].filter((fault): fault is Named<Name> => fault.command.fault === name);
}

/** A fault has struck; the last strike that it may do ends it. */
export function countStrike(board: FaultBoard, fault: ActiveFault): void {
  const name = fault.command.fault;
  board.struck.set(name, (board.struck.get(name) ?? 0) + 1);
  fault.struck++;
  const times = 'times' in fault.command ? fault.command.times : undefined;
  if (times !== undefined && fault.struck >= times) healFaults(board, fault.id);
}

type ErrorFault = 'sync-error' | 'lying-sync' | 'read-error' | 'write-error' | 'short-write';

/** The fault of this name that strikes an operation on `path` now, if any; it is counted. */
export function strike<Name extends ErrorFault>(board: FaultBoard, name: Name, path: string): CommandNamed[Name] | undefined {
  for (const fault of faultsNamed(board, name)) {
    const { files, perMillion } = fault.command;
    if (!path.includes(files) || board.random.below(million) >= perMillion) continue;
    countStrike(board, fault);
    return fault.command;
  }
  return undefined;
}

/** A fault as it is shown. */
export type FaultFacts = LastingCommand & { readonly id: number; readonly struck: number; readonly hits: number; readonly leftMs: number };

export function describeFault({ clock }: FaultBoard, { id, command, struck, hits, endsMs }: ActiveFault): FaultFacts {
  return { id, ...command, struck, hits, leftMs: Math.max(0, Math.round(endsMs - clock.monotonicMs())) };
}

export interface BoardFacts {
  readonly active: readonly FaultFacts[];
  /** The last ones. */
  readonly ended: readonly FaultFacts[];
  /** Strikes by name of the fault. */
  readonly struck: Readonly<Record<string, number>>;
}

export function describeBoard(board: FaultBoard): BoardFacts {
  return {
    active: [...board.active.values()].map((fault) => describeFault(board, fault)),
    ended: board.past.map((fault) => ({ ...describeFault(board, fault), leftMs: 0 })),
    struck: Object.fromEntries(board.struck),
  };
}
