/** Asks for the bounds of the partitions of a topic, which must never go back; of a topic with many, for some at a time. */
import type { Balsa } from '@balsa/client';
import { readFailure } from './answers.ts';
import { type Crew, isStopping, pause } from './crew.ts';
import type { TopicShape } from './producers.ts';

const pauseMsMax = 1000;
const partitionsAskedMax = 16;

export async function runAskOffsets(crew: Crew, balsa: Balsa, name: string, topic: TopicShape): Promise<void> {
  for (let first = 0; !isStopping(crew); first = (first + partitionsAskedMax) % topic.partitions) {
    await pause(crew, crew.random.below(pauseMsMax));
    if (!isStopping(crew)) await askOnce(crew, balsa, name, topic, first);
  }
}

async function askOnce(
  { history }: Crew,
  balsa: Balsa,
  name: string,
  { name: topic, partitions }: TopicShape,
  first: number,
): Promise<void> {
  const count = Math.min(partitions, partitionsAskedMax);
  const asked = Array.from({ length: count }, (_, i) => (first + i) % partitions).map((partition) => ({
    partition,
    end: history.invoke({ f: 'end-offset', process: `${name}/${topic}/${partition}/end`, topic, partition }),
    start: history.invoke({ f: 'start-offset', process: `${name}/${topic}/${partition}/start`, topic, partition }),
  }));
  try {
    const offsets = await balsa.topic(topic).offsets({ partitions: asked.map(({ partition }) => partition) });
    for (const { partition, end, start } of asked) {
      const found = offsets.find((each) => each.partition === partition);
      if (found === undefined) throw new Error(`no offsets of ${topic}/${partition}`);
      history.complete(end, { type: 'ok', offset: Number(found.latest) });
      history.complete(start, { type: 'ok', offset: Number(found.earliest) });
    }
  } catch (error) {
    const ending = readFailure(error);
    for (const { end, start } of asked) for (const op of [end, start]) history.complete(op, ending);
  }
}
