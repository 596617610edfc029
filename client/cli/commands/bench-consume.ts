/** `balsa bench consume`: how fast records come back. */
import type { Command } from 'commander';
import type { Balsa } from '../../src/mod.ts';
import { withBenchTopic } from '../bench/bench-topic.ts';
import { runLoad } from '../bench/load.ts';
import { withBench } from '../bench/options.ts';
import type { BenchOptions } from '../bench/options.ts';
import { throughputFacts, throughputJson } from '../bench/report.ts';
import type { Throughput } from '../bench/report.ts';
import { during } from '../cli-error.ts';
import { withExamples } from '../command.ts';
import { withBalsa } from '../connection.ts';
import { integerOption } from '../format/quantity.ts';
import type { Io } from '../terminal/io.ts';
import { note, printFacts } from '../terminal/output.ts';
import { startProgress } from '../terminal/progress.ts';

interface BenchConsumeOptions extends BenchOptions {
  readonly records: number;
}

const fillWindow = 10_000;

export function registerBenchConsume(parent: Command, io: Io): void {
  const command = withBench(parent.command('consume'))
    .description('Fills a topic of its own, then measures how fast one consumer reads all of it from the beginning.')
    .option('--records <n>', 'records to write and read', integerOption('--records', 1), 200_000)
    .action((options: BenchConsumeOptions) => bench(io, options));
  withExamples(command, 'balsa bench consume', 'balsa bench consume --records 1_000_000 --record-bytes 100 -o json');
}

async function bench(io: Io, options: BenchConsumeOptions): Promise<void> {
  await withBalsa(io, options, (balsa) =>
    withBenchTopic(io, balsa, options, async (topic) => {
      await fill(io, balsa, topic, options);
      const result = await during('the bench failed', () => readAll(io, balsa, topic));
      const { recordBytes, partitions, replicas } = options;
      await printFacts(io, options.output, { recordBytes, partitions, replicas, ...throughputJson(result) }, [
        ['setup', `${recordBytes} B records, ${partitions} partitions x ${replicas} replicas`],
        ...throughputFacts(result),
      ]);
    }),
  );
}

async function fill(io: Io, balsa: Balsa, topic: string, options: BenchConsumeOptions): Promise<void> {
  note(io, 'filling the topic ...');
  const progress = startProgress(io, 'records');
  const load = {
    recordBytes: options.recordBytes,
    acks: options.acks,
    producers: 1,
    window: fillWindow,
    recordsMax: options.records,
    durationMsMax: Number.POSITIVE_INFINITY,
    warmUp: false,
    signal: io.signal,
    onProgress: (acked: number) => progress.update(acked, options.records),
  };
  await during('cannot fill the topic', () => runLoad(balsa, topic, load)).finally(() => progress.finish());
}

async function readAll(io: Io, balsa: Balsa, topic: string): Promise<Throughput> {
  const progress = startProgress(io, 'records');
  const startMs = performance.now();
  await using consumer = balsa.topic(topic).consumer({ from: 'earliest', until: 'latest', signal: io.signal });
  let [records, bytes] = [0, 0];
  try {
    for await (const batch of consumer.batches({ max: 10_000 })) {
      records += batch.records.length;
      for (const { value } of batch.records) bytes += value?.length ?? 0;
      progress.update(records, undefined);
    }
  } finally {
    progress.finish();
  }
  return { records, bytes, elapsedMs: performance.now() - startMs };
}
