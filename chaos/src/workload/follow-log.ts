/** Follows a partition for its consume probes: what arrives, in order, whatever happens to its leader. */
import type { Balsa } from '@balsa/client';
import type { PartitionRef } from '../record/timeline.ts';
import { balsaErrorOf } from './answers.ts';
import type { Arrivals } from './arrivals.ts';
import { type Crew, guard, isStopping, pause, undertake } from './crew.ts';
import { valueId } from './values.ts';

const retryMs = 20;
const sweepMs = 100;

/** From offset `from` (inclusive) on until the crew stops. */
export function followLog(crew: Crew, balsa: Balsa, place: PartitionRef, from: bigint, arrivals: Arrivals): void {
  const name = `follower of ${place.topic}/${place.partition}`;
  undertake(crew, name, async () => {
    const timer = setInterval(() => guard(crew, name, () => arrivals.sweep(crew.nowNs())), sweepMs);
    try {
      for (let next = from; !isStopping(crew); await pause(crew, retryMs)) next = await followOnce(crew, balsa, place, next, arrivals);
    } finally {
      clearInterval(timer);
    }
  });
}

/** Offset after the last record that was taken. */
async function followOnce(crew: Crew, balsa: Balsa, { topic, partition }: PartitionRef, from: bigint, arrivals: Arrivals): Promise<bigint> {
  const consumer = balsa.topic(topic).consumer({ from, partitions: [partition], onOutOfRange: 'latest' });
  const stop = (): void => void consumer.close();
  crew.stop.signal.addEventListener('abort', stop);
  let next = from;
  try {
    for await (const { offset, value } of consumer) {
      next = offset + 1n;
      if (value !== null) arrivals.arrived(valueId(value), crew.nowNs());
    }
  } catch (error) {
    balsaErrorOf(error);
  } finally {
    crew.stop.signal.removeEventListener('abort', stop);
    await consumer.close();
  }
  return next;
}
