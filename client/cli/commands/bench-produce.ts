/** `balsa bench produce`: how much the cluster takes. */
import type { Command } from 'commander';
import { withBenchTopic } from '../bench/bench-topic.ts';
import { runLoad } from '../bench/load.ts';
import type { LoadResult } from '../bench/load.ts';
import { withBench } from '../bench/options.ts';
import type { BenchOptions } from '../bench/options.ts';
import { latencyFacts, throughputFacts, throughputJson } from '../bench/report.ts';
import { during } from '../cli-error.ts';
import { withExamples } from '../command.ts';
import { withBalsa } from '../connection.ts';
import { integerOption } from '../format/quantity.ts';
import type { Io } from '../terminal/io.ts';
import { printFacts } from '../terminal/output.ts';
import { startProgress } from '../terminal/progress.ts';

interface BenchProduceOptions extends BenchOptions {
  readonly producers: number;
  readonly window: number;
  readonly records?: number;
  readonly seconds: number;
}

export function registerBenchProduce(parent: Command, io: Io): void {
  const command = withBench(parent.command('produce'))
    .description('Measures how much a cluster takes: producers keep a window of records under way in a topic of their own.')
    .option('--producers <n>', 'producers in this process', integerOption('--producers', 1, 1000), 1)
    .option('--window <n>', 'records under way per producer', integerOption('--window', 1, 1_000_000), 2000)
    .option('--records <n>', 'stop after this many records', integerOption('--records', 1))
    .option('--seconds <n>', 'stop after this time', integerOption('--seconds', 1, 86_400), 10)
    .action((options: BenchProduceOptions) => bench(io, options));
  withExamples(
    command,
    'balsa bench produce',
    'balsa bench produce --record-bytes 100 --producers 4 --seconds 30',
    'balsa bench produce --acks leader -o json',
  );
}

async function bench(io: Io, options: BenchProduceOptions): Promise<void> {
  await withBalsa(io, options, (balsa) =>
    withBenchTopic(io, balsa, options, async (topic) => {
      const progress = startProgress(io, 'records');
      const load = {
        ...options,
        recordsMax: options.records ?? Number.POSITIVE_INFINITY,
        // A number of records without a time means all of them.
        durationMsMax: options.records === undefined ? options.seconds * 1000 : Number.POSITIVE_INFINITY,
        warmUp: true,
        signal: io.signal,
        onProgress: (acked: number) => progress.update(acked, options.records),
      };
      const result = await during('the bench failed', () => runLoad(balsa, topic, load)).finally(() => progress.finish());
      await report(io, options, result);
    }),
  );
}

async function report(io: Io, options: BenchProduceOptions, result: LoadResult): Promise<void> {
  const { recordBytes, partitions, replicas, acks, producers, window } = options;
  const setup = { recordBytes, partitions, replicas, acks, producers, window };
  await printFacts(io, options.output, { ...setup, ...throughputJson(result), latency: result.latency }, [
    [
      'setup',
      `${recordBytes} B records, ${partitions} partitions x ${replicas} replicas, acks ${acks}, ${producers} x ${window} under way`,
    ],
    ...throughputFacts(result),
    ...latencyFacts('ack', result.latency),
  ]);
}
