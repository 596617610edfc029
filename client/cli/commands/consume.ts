/** `balsa consume`: records of a topic on stdout. */
import type { Command } from 'commander';
import type { Balsa, ConsumedBatch, ConsumerOptions } from '../../src/mod.ts';
import { during, usageError } from '../cli-error.ts';
import { withCluster, withExamples } from '../command.ts';
import type { ClusterOptions } from '../command.ts';
import { withBalsa } from '../connection.ts';
import { integerOption } from '../format/quantity.ts';
import { compileRecordFormat, recordJson } from '../format/record-format.ts';
import type { PrintableRecord } from '../format/record-format.ts';
import { parseStartPosition } from '../format/start-position.ts';
import type { StartPosition } from '../format/start-position.ts';
import type { Io } from '../terminal/io.ts';
import { note, write } from '../terminal/output.ts';

interface ConsumeOptions extends ClusterOptions {
  readonly from: string;
  readonly partition?: number;
  readonly count?: number;
  readonly follow?: boolean;
  readonly format: string;
}

/** How the records of one batch become bytes; `isFirst` is true until one was printed. */
type BatchPrinter = (records: readonly PrintableRecord[], isFirst: boolean) => Uint8Array;

const formatHelp = `
Format:
  %t topic  %p partition  %o offset  %k key  %v value  %T time (ms)  %h headers  %% percent
  {hex} {base64} {json} after %k and %v, {iso} after %T; \\n \\t \\r \\0 \\\\
`;

export function registerConsume(parent: Command, io: Io): void {
  const command = withCluster(parent.command('consume <topic>'))
    .summary('print records')
    .description('Prints the records that the topic has now, and with --follow those that come later, too.')
    .option('--from <position>', 'earliest, latest, an offset, a time (2026-05-01T12:00:00Z) or how long ago (-15m)', 'earliest')
    .option('-p, --partition <number>', 'only this partition', integerOption('--partition', 0))
    .option('-n, --count <n>', 'stop after this many records', integerOption('--count', 1))
    .option('-f, --follow', 'go on waiting for new records; Ctrl-C ends')
    .option('--format <text>', 'how to print a record, see below', '%v\\n')
    .addHelpText('after', formatHelp)
    .action((topic: string, options: ConsumeOptions) => consume(io, topic, options));
  withExamples(
    command,
    'balsa consume orders',
    "balsa consume orders --follow --from latest --format '%p/%o  %k  %v\\n'",
    'balsa consume orders --from -15m -o jsonl',
    'balsa consume orders --partition 3 --from 1200 --count 10',
  );
}

async function consume(io: Io, topic: string, options: ConsumeOptions): Promise<void> {
  const printer = batchPrinter(options);
  const position = parseStartPosition(options.from, io.nowMs());
  if (position.kind === 'latest' && options.follow !== true) {
    throw usageError('there is nothing behind the latest record yet', 'add --follow to wait for new ones');
  }
  await withBalsa(io, options, async (balsa) => {
    const printed = await during(`cannot consume "${topic}"`, () => printAll(io, balsa, topic, options, position, printer));
    if (options.output === 'json') await write(io.stdout, printed === 0 ? '[]\n' : '\n]\n');
    if (printed === 0 && io.stderr.isTTY === true) note(io, 'no records');
  });
}

async function printAll(
  io: Io,
  balsa: Balsa,
  topic: string,
  options: ConsumeOptions,
  position: StartPosition,
  printer: BatchPrinter,
): Promise<number> {
  const countMax = options.count ?? Number.POSITIVE_INFINITY;
  await using consumer = balsa.topic(topic).consumer({
    from: await startOf(io, balsa, topic, position, options.partition),
    until: options.follow === true ? undefined : 'latest',
    partitions: options.partition === undefined ? undefined : [options.partition],
    signal: io.signal,
  });
  let printed = 0;
  for await (const batch of consumer.batches()) {
    const records = printable(topic, batch).slice(0, countMax - printed);
    await write(io.stdout, printer(records, printed === 0));
    printed += records.length;
    if (printed >= countMax) break;
  }
  return printed;
}

/** An offset for all partitions is meant as "skip this many": where a partition has fewer, its end is taken. */
async function startOf(
  io: Io,
  balsa: Balsa,
  topic: string,
  position: StartPosition,
  partition: number | undefined,
): Promise<NonNullable<ConsumerOptions['from']>> {
  if (position.kind === 'time') return position.timeMs;
  if (position.kind !== 'offset') return position.kind;
  const wanted = BigInt(position.offset);
  if (partition !== undefined) return wanted;
  const bounds = await balsa.topic(topic).offsets({ signal: io.signal });
  const clamp = (earliest: bigint, latest: bigint): bigint => (wanted < earliest ? earliest : wanted > latest ? latest : wanted);
  return new Map(bounds.map(({ partition: number, earliest, latest }) => [number, clamp(earliest, latest)]));
}

function batchPrinter(options: ConsumeOptions): BatchPrinter {
  if (options.output === 'jsonl')
    return (records) => Buffer.from(records.map((record) => `${JSON.stringify(recordJson(record))}\n`).join(''));
  if (options.output === 'json') {
    return (records, isFirst) =>
      Buffer.from(records.map((record, i) => `${isFirst && i === 0 ? '[\n' : ',\n'}${JSON.stringify(recordJson(record))}`).join(''));
  }
  const format = compileRecordFormat(options.format);
  return (records) => Buffer.concat(records.map(format));
}

function printable(topic: string, batch: ConsumedBatch<Uint8Array, Uint8Array>): PrintableRecord[] {
  return batch.records.map((record) => ({ ...record, topic, offset: Number(record.offset) }));
}
