/** `balsa bench latency`: how long a record takes at a steady rate. */
import type { Command } from 'commander';
import { withBenchTopic } from '../bench/bench-topic.ts';
import { runOpenLoop } from '../bench/open-loop.ts';
import { withBench } from '../bench/options.ts';
import type { BenchOptions } from '../bench/options.ts';
import { latencyFacts } from '../bench/report.ts';
import { during } from '../cli-error.ts';
import { withExamples } from '../command.ts';
import { withBalsa } from '../connection.ts';
import { formatCount, integerOption } from '../format/quantity.ts';
import type { Io } from '../terminal/io.ts';
import { printFacts } from '../terminal/output.ts';
import { startProgress } from '../terminal/progress.ts';

interface BenchLatencyOptions extends BenchOptions {
  readonly rate: number;
  readonly seconds: number;
}

export function registerBenchLatency(parent: Command, io: Io): void {
  const command = withBench(parent.command('latency'))
    .description(
      'Sends records on a fixed schedule and measures, from the time a record was due, when it was acknowledged and when a consumer had it. A stall is charged to every record that had to wait; the schedule itself is exact to about a millisecond.',
    )
    .option('--rate <n>', 'records per second', integerOption('--rate', 1, 1_000_000), 500)
    .option('--seconds <n>', 'length of the run', integerOption('--seconds', 1, 86_400), 10)
    .action((options: BenchLatencyOptions) => bench(io, options));
  withExamples(
    command,
    'balsa bench latency',
    '# while killing a broker in another terminal',
    'balsa bench latency --rate 200 --seconds 60',
  );
}

async function bench(io: Io, options: BenchLatencyOptions): Promise<void> {
  await withBalsa(io, options, (balsa) =>
    withBenchTopic(io, balsa, options, async (topic) => {
      const progress = startProgress(io, 'records');
      const loop = { ...options, durationMs: options.seconds * 1000, signal: io.signal, onProgress: progress.update };
      const result = await during('the bench failed', () => runOpenLoop(balsa, topic, loop)).finally(() => progress.finish());
      const { recordBytes, partitions, replicas, acks, rate } = options;
      await printFacts(io, options.output, { recordBytes, partitions, replicas, acks, rate, ...result }, [
        ['setup', `${recordBytes} B records, ${partitions} partitions x ${replicas} replicas, acks ${acks}`],
        ['records', `${formatCount(result.records)}, ${formatCount(rate)} a second`],
        ...latencyFacts('ack', result.ack),
        ...latencyFacts('end to end', result.endToEnd),
      ]);
    }),
  );
}
