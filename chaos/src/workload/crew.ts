/**
 * What all clients of a run share: the cluster's address, the history, chance, and the end.
 *
 * Failure contract: whatever a worker meets but an error of the client library is a mistake of
 * the workload or of the library. It ends that worker and is a finding (`failures`, the first
 * `failuresMax` of them); it never ends the harness.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Balsa, connect, type ConnectOptions } from '@balsa/client';
import type { HistoryRecorder } from '../history/recorder.ts';
import type { Chance } from '../nemesis/chance.ts';
import { balsaErrorOf } from './answers.ts';
import { createRepeating, type Repeating } from './repeating-transport.ts';

export interface Crew {
  readonly address: string;
  readonly history: HistoryRecorder;
  /** The clock of the history. */
  readonly nowNs: () => number;
  readonly random: Chance;
  /** Aborted when the workers shall come to an end. */
  readonly stop: AbortController;
  readonly running: Set<Promise<void>>;
  readonly failures: Error[];
  /** A number that was never used before: for values and names. */
  readonly nextId: () => number;
  /** What the producers do with their requests. */
  readonly repeating: Repeating;
  acked: number;
}

export function createCrew(options: Pick<Crew, 'address' | 'history' | 'nowNs' | 'random' | 'nextId'>): Crew {
  return { ...options, stop: new AbortController(), running: new Set(), failures: [], repeating: createRepeating(), acked: 0 };
}

/** Numbers of one run, from 1. */
export function createNumbers(): () => number {
  let last = 0;
  return () => (last += 1);
}

const retryMs = 200;
const connectTimeoutMs = 5_000;
const closeTimeoutMs = 2_000;
/** One mistake made again and again tells nothing new. */
const failuresMax = 20;

export const isStopping = ({ stop }: Crew): boolean => stop.signal.aborted;

/** Ends early when the crew stops. */
export async function pause({ stop }: Crew, ms: number): Promise<void> {
  await delay(ms, undefined, { signal: stop.signal }).catch(() => undefined);
}

export function noteFailure({ failures }: Crew, who: string, error: unknown): void {
  if (failures.length >= failuresMax) return;
  failures.push(new Error(`${who}: ${error instanceof Error ? error.message : String(error)}`, { cause: error }));
}

/** For what no caller waits for, timers above all: an error is a finding. */
export function guard(crew: Crew, who: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    noteFailure(crew, who, error);
  }
}

/** Runs until it ends; `stop` of the crew's owner waits for it. */
export function undertake(crew: Crew, name: string, work: () => Promise<void>): void {
  const running = work()
    .catch((error: unknown) => noteFailure(crew, name, error))
    .finally(() => crew.running.delete(running));
  crew.running.add(running);
}

/** Connects, as often as it takes, and works until the crew stops. */
export function employ(crew: Crew, name: string, work: (balsa: Balsa) => Promise<void>): void {
  undertake(crew, name, async () => {
    const balsa = await connectAtLast(crew, { clientId: name });
    if (balsa === undefined) return;
    try {
      await work(balsa);
    } finally {
      await closeClient(balsa, closeTimeoutMs);
    }
  });
}

/** Undefined if the crew stops before. */
export async function connectAtLast(crew: Crew, options: ConnectOptions): Promise<Balsa | undefined> {
  while (!isStopping(crew)) {
    try {
      return await connect(crew.address, { timeout: connectTimeoutMs, ...options });
    } catch (error) {
      balsaErrorOf(error);
      await pause(crew, retryMs);
    }
  }
  return undefined;
}

export async function closeClient(balsa: Balsa, timeoutMs: number): Promise<void> {
  await balsa.close({ timeout: timeoutMs }).catch(balsaErrorOf);
}
