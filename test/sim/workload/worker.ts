/** What every worker of the workload gets: a client process, its own chance, and the history. */
import type { Balsa } from '@balsa/client';
import type { Stream } from '../world/random-streams.ts';
import { createClient, type SimClient, type World } from '../world/world.ts';
import type { Recorder } from './recorder.ts';

export interface Worker {
  readonly name: string;
  readonly client: SimClient;
  readonly random: Stream;
  readonly recorder: Recorder;
  readonly pause: (ms: number) => Promise<void>;
  readonly stopping: () => boolean;
  readonly wallMs: () => number;
  /** Counts something that happened. */
  readonly note: (what: string) => void;
}

export interface Crew {
  readonly world: World;
  readonly recorder: Recorder;
  readonly note: (what: string) => void;
  /** Raised when the workers shall come to an end. */
  stopping: boolean;
  readonly running: Map<string, Promise<void>>;
}

export function createWorker(crew: Crew, name: string): Worker {
  const { world, recorder, note } = crew;
  const client = createClient(world, name);
  return {
    name,
    client,
    random: world.random(`work-${name}`),
    recorder,
    pause: (ms) =>
      new Promise((resolve) => {
        client.clock.after(ms, resolve);
      }),
    stopping: () => crew.stopping,
    wallMs: client.clock.wallMs,
    note,
  };
}

const retryMs = 200;

/** Connects, as often as it takes, and works until the crew stops. A worker that throws anything but a BalsaError fails the run. */
export function employ(crew: Crew, name: string, work: (worker: Worker, balsa: Balsa) => Promise<void>): void {
  const worker = createWorker(crew, name);
  const run = async (): Promise<void> => {
    const balsa = await connectAtLast(worker);
    if (balsa === undefined) return;
    await work(worker, balsa);
    await balsa.close();
  };
  crew.running.set(
    name,
    run().finally(() => crew.running.delete(name)),
  );
}

async function connectAtLast(worker: Worker): Promise<Balsa | undefined> {
  while (!worker.stopping()) {
    try {
      return await worker.client.connect();
    } catch {
      await worker.pause(retryMs);
    }
  }
  return undefined;
}
