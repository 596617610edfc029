/**
 * State of a partition: what is needed to place the next batch. Batches themselves stay
 * in the log.
 *
 * Invariants: 0 <= logStart <= nextOffset; every remembered producer's stamp is at most
 * lastStampMs; producers are in the order of their newest entries.
 */
import type { Offset } from '../../ids.ts';
import { asOffset } from '../../ids.ts';
import type { ProducerTable } from './producer-table.ts';

export interface PartitionState {
  /** Offset that the next record gets (exclusive end of the log). */
  nextOffset: Offset;
  /** First offset still kept (inclusive). */
  logStart: Offset;
  /** Log time: stamp of the newest command that changed anything. */
  lastStampMs: number;
  readonly producers: ProducerTable;
}

export function initialPartitionState(): PartitionState {
  return { nextOffset: asOffset(0), logStart: asOffset(0), lastStampMs: 0, producers: new Map() };
}

/** Stamp for a command proposed at `nowMs`: log time never runs backwards. */
export function nextStampMs(state: PartitionState, nowMs: number): number {
  return Math.max(nowMs, state.lastStampMs);
}
