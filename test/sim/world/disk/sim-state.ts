/** State of a simulated disk, and its luck. */
import type { Random } from '@balsa/node/ports/random.ts';
import type { MemoryFiles } from '@balsa/node/storage/disk/memory-files.ts';
import type { Completions, Lane } from './completion.ts';
import type { DiskFault, DiskFaultKind } from './disk-fault.ts';
import type { DiskProfile } from './disk-profile.ts';
import type { PageHistory } from './page-history.ts';

export interface SimState extends Completions {
  readonly files: MemoryFiles;
  readonly random: Random;
  readonly profile: DiskProfile;
  readonly history: PageHistory;
  /** Lanes of files, by inode. */
  readonly lanes: Map<number, Lane>;
  /** Lane of everything that concerns names. */
  readonly names: Lane;
  readonly onFault: (fault: DiskFault) => void;
  readonly mayHappen: (kind: DiskFaultKind) => boolean;
}

/** Draws only where something can happen: a fault that is off does not move the others. */
export function hits({ random }: SimState, rate: number, outOf: number): boolean {
  return rate > 0 && random.below(outOf) < rate;
}

const million = 1_000_000;
const stepsPerMs = 1000;

/** Whether a fault of this kind strikes now. */
export function strikes(state: SimState, kind: DiskFaultKind, perMillion: number): boolean {
  return hits(state, perMillion, million) && state.mayHappen(kind);
}

export function between({ random }: SimState, min: number, max: number): number {
  return max <= min ? min : min + random.below(Math.round((max - min) * stepsPerMs) + 1) / stepsPerMs;
}

export type OperationClass = 'read' | 'write' | 'sync';

/** Latency of an operation; may let the disk stall before it. */
export function latencyMs(state: SimState, kind: OperationClass, path: string): number {
  const { profile } = state;
  if (hits(state, profile.stallPerMille, 1000)) {
    state.stalledUntilMs = Math.max(state.stalledUntilMs, state.clock.monotonicMs() + profile.stallMs);
    state.onFault({ kind: 'stall', path, position: 0, bytes: 0, detail: `${profile.stallMs} ms` });
  }
  if (kind === 'read') return between(state, profile.readMsMin, profile.readMsMax);
  if (kind === 'write') return between(state, profile.writeMsMin, profile.writeMsMax);
  return between(state, profile.syncMsMin, profile.syncMsMax);
}
