/** A topic for one bench run: made for it, and deleted after it whatever happens. */
import type { Balsa } from '../../src/mod.ts';
import { during } from '../cli-error.ts';
import type { Io } from '../terminal/io.ts';
import { note } from '../terminal/output.ts';
import type { BenchOptions } from './options.ts';

export async function withBenchTopic(io: Io, balsa: Balsa, options: BenchOptions, run: (topic: string) => Promise<void>): Promise<void> {
  const name = `balsa-bench-${crypto.randomUUID().slice(0, 8)}`;
  const { partitions, replicas } = options;
  await during('cannot create the topic of the bench', () =>
    balsa.admin.topics.create(name, { partitions, replicas }, { signal: io.signal }),
  );
  try {
    await run(name);
  } finally {
    if (options.keep === true) note(io, `topic ${name} is kept`);
    else await remove(io, balsa, name);
  }
}

async function remove(io: Io, balsa: Balsa, name: string): Promise<void> {
  try {
    await balsa.admin.topics.delete(name);
  } catch (cause) {
    note(io, `topic ${name} could not be deleted: ${(cause as Error).message}`);
  }
}
