/** `balsa produce`: the lines of a file or of stdin become records. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { addAbortSignal } from 'node:stream';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { Option } from 'commander';
import type { Command } from 'commander';
import type { Acks } from '../../src/mod.ts';
import { createPacer } from '../bench/pacer.ts';
import type { Pacer } from '../bench/pacer.ts';
import { CliError, during } from '../cli-error.ts';
import { withCluster, withExamples } from '../command.ts';
import type { ClusterOptions } from '../command.ts';
import { withBalsa } from '../connection.ts';
import { formatBytes, formatCount, formatDuration, integerOption } from '../format/quantity.ts';
import { unescape } from '../format/record-format.ts';
import { lineRecords } from '../line-records.ts';
import { SendWindow } from '../send-window.ts';
import type { Io } from '../terminal/io.ts';
import { note, printFacts } from '../terminal/output.ts';
import { startProgress } from '../terminal/progress.ts';

interface ProduceOptions extends ClusterOptions {
  readonly file?: string;
  readonly keySeparator?: string;
  readonly partition?: number;
  readonly acks: Acks;
  readonly rate?: number;
}

interface Source {
  readonly stream: Readable;
  /** Bytes of the whole input, if they are known. */
  readonly totalBytes: number | undefined;
}

interface Counts {
  records: number;
  acked: number;
  /** Of keys and values. */
  bytes: number;
}

const recordsUnderWayMax = 20_000;

export function registerProduce(parent: Command, io: Io): void {
  const command = withCluster(parent.command('produce <topic>'))
    .summary('write records from lines of text')
    .description('Writes every line of stdin, or of a file, as one record, and waits until all are acknowledged.')
    .option('-f, --file <path>', 'read this file instead of stdin')
    .option('-k, --key-separator <text>', 'the part of a line before this text is the key (\\t is a tab)', unescape)
    .option('-p, --partition <number>', 'write to this partition only', integerOption('--partition', 0))
    .addOption(
      new Option('--acks <level>', 'copies that must be on disk before a record counts')
        .choices(['quorum', 'leader', 'none'])
        .default('quorum'),
    )
    .option('--rate <n>', 'at most this many records per second', integerOption('--rate', 1))
    .action((topic: string, options: ProduceOptions) => produce(io, topic, options));
  withExamples(
    command,
    'echo hello | balsa produce orders',
    "seq 1 1000 | sed 's/^/order /' | balsa produce orders",
    '# key and value, separated by a colon',
    "printf 'k1:one\\nk2:two\\n' | balsa produce orders -k :",
    'balsa produce orders --file orders.txt --rate 500',
  );
}

async function produce(io: Io, topic: string, options: ProduceOptions): Promise<void> {
  const source = await openSource(io, options.file);
  const startMs = io.nowMs();
  const counts: Counts = { records: 0, acked: 0, bytes: 0 };
  await withBalsa(io, options, async (balsa) => {
    const { partitions } = await during(`cannot produce to "${topic}"`, () => balsa.admin.topics.describe(topic, { signal: io.signal }));
    if (options.partition !== undefined && options.partition >= partitions.length)
      throw noPartition(topic, options.partition, partitions.length);
    await using producer = balsa.topic(topic).producer({ acks: options.acks });
    const send = (key: Uint8Array | null, value: Uint8Array): Promise<unknown> =>
      producer.send({ key, value, partition: options.partition });
    await during(`cannot produce to "${topic}"`, () => sendLines(io, source, options, counts, send));
  }).catch((cause: unknown) => {
    if (counts.records > 0) note(io, `${formatCount(counts.acked)} of ${formatCount(counts.records)} records read were acknowledged`);
    throw cause;
  });
  await report(io, topic, options, counts, io.nowMs() - startMs);
}

async function sendLines(
  io: Io,
  source: Source,
  options: ProduceOptions,
  counts: Counts,
  send: (key: Uint8Array | null, value: Uint8Array) => Promise<unknown>,
): Promise<void> {
  const window = new SendWindow(recordsUnderWayMax);
  const progress = startProgress(io, source.totalBytes === undefined ? 'records' : 'bytes');
  const pacer = options.rate === undefined ? undefined : createPacer(performance.now(), options.rate);
  let inputBytes = 0;
  try {
    for await (const record of lineRecords(addAbortSignal(io.signal, source.stream), options.keySeparator)) {
      if (!window.hasRoom) await window.room();
      if (pacer !== undefined) await untilDue(pacer, counts.records, io.signal);
      window.add(
        send(record.key, record.value).then(() => {
          counts.acked += 1;
        }),
      );
      counts.records += 1;
      counts.bytes += record.value.length + (record.key?.length ?? 0);
      inputBytes += record.inputBytes;
      progress.update(source.totalBytes === undefined ? counts.records : inputBytes, source.totalBytes);
    }
    await window.drain();
  } finally {
    progress.finish();
  }
}

async function untilDue(pacer: Pacer, n: number, signal: AbortSignal): Promise<void> {
  const waitMs = pacer.dueMs(n) - performance.now();
  if (waitMs > 0) await delay(waitMs, undefined, { signal });
}

async function openSource(io: Io, file: string | undefined): Promise<Source> {
  if (file === undefined || file === '-') {
    if (io.stdin.isTTY === true) note(io, 'one record a line; Ctrl-D ends');
    return { stream: io.stdin, totalBytes: undefined };
  }
  try {
    const { size } = await stat(file);
    return { stream: createReadStream(file, { highWaterMark: 1024 * 1024 }), totalBytes: size };
  } catch (cause) {
    throw new CliError({ what: `cannot read ${file}`, why: (cause as Error).message, next: 'check the path and its permissions' });
  }
}

function noPartition(topic: string, partition: number, count: number): CliError {
  return new CliError({
    what: `topic "${topic}" has no partition ${partition}`,
    why: `it has ${count}, numbered from 0`,
    next: `choose 0 to ${count - 1}, or add partitions: balsa topic alter ${topic} --partitions ${partition + 1}`,
    exitCode: 4,
    code: 'UNKNOWN_PARTITION',
  });
}

async function report(io: Io, topic: string, options: ProduceOptions, counts: Counts, elapsedMs: number): Promise<void> {
  const { records, bytes: size } = counts;
  if (options.output !== 'table') return printFacts(io, options.output, { topic, records, bytes: size, elapsedMs, acks: options.acks }, []);
  const rate = elapsedMs > 0 ? `, ${formatCount((records / elapsedMs) * 1000)} records/s` : '';
  note(io, `${formatCount(records)} records (${formatBytes(size)}) to ${topic} in ${formatDuration(elapsedMs)}${rate}`);
}
