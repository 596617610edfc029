/** What each command does, and what is answered; the transport of both is http-channel.ts. */
import type { Logger } from '../telemetry/logger.ts';
import type { Clock } from '../ports/clock.ts';
import { type FlippedBit, flipBit } from './bit-flip.ts';
import type { FaultCommand, FaultName, LastingCommand, Loss } from './command.ts';
import type { DiskShim, Unsynced } from './disk-shim.ts';
import { blockLoop, type Failpoints } from './failpoints.ts';
import { addFault, type BoardFacts, describeBoard, describeFault, type FaultBoard, type FaultFacts, healFaults } from './fault-board.ts';
import type { LostPower } from './power-failure.ts';

/** Answers of the commands that do not last. */
export interface FaultResults {
  /** The process is killed when this has been sent. */
  readonly 'power-loss': LostPower;
  readonly 'bit-flip': FlippedBit;
  readonly block: { readonly blockedMs: number };
  readonly heal: { readonly healed: number };
}

export type FaultResult<Name extends FaultName = FaultName> = Name extends keyof FaultResults ? FaultResults[Name] : FaultFacts;

export interface FaultReport extends BoardFacts {
  readonly pid: number;
  /** The broker's wall clock, faults included. */
  readonly wallMs: number;
  /** How often each failpoint was passed. */
  readonly points: Readonly<Record<string, number>>;
  /** What a power failure now would take. */
  readonly unsynced: Unsynced;
}

export interface FaultControlOptions {
  readonly board: FaultBoard;
  readonly points: Failpoints;
  readonly shim: DiskShim;
  /** The broker's, which may be wrong. */
  readonly clock: Clock;
  readonly dataFolder: string;
  readonly failPower: (loss: Loss) => Promise<LostPower>;
  readonly log: Logger;
}

export interface FaultControl {
  readonly execute: (command: FaultCommand) => Promise<FaultResult>;
  readonly describe: () => FaultReport;
}

export function createFaultControl(options: FaultControlOptions): FaultControl {
  const { board, points, shim, clock, log } = options;
  return {
    execute: (command) => {
      log.warn({ command }, 'fault injected on request');
      return execute(options, command);
    },
    describe: () => ({
      ...describeBoard(board),
      pid: process.pid,
      wallMs: clock.wallMs(),
      points: points.passed(),
      unsynced: shim.unsynced(),
    }),
  };
}

async function execute(options: FaultControlOptions, command: FaultCommand): Promise<FaultResult> {
  const { board, shim, dataFolder } = options;
  switch (command.fault) {
    case 'power-loss':
      return options.failPower(command);
    case 'bit-flip':
      return flipBit(dataFolder, command, board.random, shim.isUnsyncedAt);
    case 'block':
      return block(options, command.ms);
    case 'heal':
      return { healed: healFaults(board, command.id) };
    default:
      return arm(board, command);
  }
}

function block({ board }: FaultControlOptions, ms: number): FaultResults['block'] {
  const startedMs = board.clock.monotonicMs();
  blockLoop(ms);
  return { blockedMs: board.clock.monotonicMs() - startedMs };
}

const arm = (board: FaultBoard, command: LastingCommand): FaultFacts => describeFault(board, addFault(board, command));
