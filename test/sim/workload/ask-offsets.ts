/** Asks for the ends of the partitions, which must never go back. */
import { type Balsa, BalsaError } from '@balsa/client';
import { readFailure } from './recorder.ts';
import type { Worker } from './worker.ts';

export interface OffsetsPlan {
  readonly topic: string;
  readonly partitions: number;
  readonly pauseMsMax: number;
}

export async function runAskOffsets(worker: Worker, balsa: Balsa, { topic, partitions, pauseMsMax }: OffsetsPlan): Promise<void> {
  while (!worker.stopping()) {
    await worker.pause(worker.random.below(pauseMsMax));
    if (worker.stopping()) return;
    await askOnce(worker, balsa, topic, partitions);
  }
}

async function askOnce({ recorder, name, note }: Worker, balsa: Balsa, topic: string, partitions: number): Promise<void> {
  const places = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
  const asked = places.map(({ partition }) => ({
    end: recorder.invoke({ f: 'end-offset', process: `${name}/${partition}/end`, topic, partition }),
    start: recorder.invoke({ f: 'start-offset', process: `${name}/${partition}/start`, topic, partition }),
  }));
  try {
    const offsets = await balsa.topic(topic).offsets();
    note('offsets');
    asked.forEach(({ end, start }, partition) => {
      const found = offsets[partition];
      if (found === undefined) throw new Error(`no offsets of partition ${partition}`);
      end({ type: 'ok', offset: Number(found.latest) });
      start({ type: 'ok', offset: Number(found.earliest) });
    });
  } catch (error) {
    if (!(error instanceof BalsaError)) throw error;
    for (const { end, start } of asked) {
      end(readFailure(error));
      start(readFailure(error));
    }
  }
}
