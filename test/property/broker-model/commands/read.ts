/** Reads and questions for the bounds of a log. */
import type { ConsumedBatch, Consumer } from '@balsa/client';
import { require } from '../../../sim/checks/sim-failure.ts';
import { readRecord } from '../../../sim/workload/consume.ts';
import { readFailure } from '../../../sim/workload/recorder.ts';
import { command, logAt, type ModelCommand } from '../command.ts';
import { honest } from '../honest.ts';
import { copiesMax, learnEnd, learnPosition, learnStart, nameOf } from '../learn.ts';
import { hasMajority, isCalm, type Log, type Model, type Place, placeName } from '../model.ts';
import { endsWithin, type Real } from '../real.ts';

const fetchMs = 1500;
const closeMs = 200;
const offsetsMs = 1500;
const graceMs = 50;

/** A new consumer reads from a part of the way to the end; it may not get there while there are faults. */
export function fetch(place: Place, fromPercent: number): ModelCommand {
  const name = `Fetch(${placeName(place)}, from ${fromPercent}%)`;
  return command({
    name,
    check: (model) => logAt(model, place) !== undefined,
    run: async (model, real) => {
      const log = logAt(model, place);
      if (log === undefined) return;
      const from = log.start + Math.floor(((log.end - log.start) * fromPercent) / 100);
      const facts = (): unknown => ({ name, from, knownEnd, next: read.next, error: read.error });
      const knownEnd = log.end;
      const mustServe = isCalm(model, real.clock.monotonicMs());
      const mustFail = !hasMajority(model, log.replicas);
      const read = await readToEnd(model, real, log, from);
      require(!read.isComplete || read.next >= knownEnd, 'a reader sees everything that was acknowledged before', facts);
      require(!(mustFail && read.isComplete), 'nothing is read to its end without a majority', facts);
      const wasTrimmed = read.error === 'OFFSET_OUT_OF_RANGE' && log.keepBytesMin !== undefined;
      require(!mustServe || read.isComplete || wasTrimmed, 'a calm cluster serves', facts);
      real.took(read.isComplete ? 'fetch' : 'fetch cut short');
      if (read.next > from) real.took('fetch of records');
      if (mustFail) real.took('call without a majority');
    },
  });
}

interface Read {
  /** Offset after the last record (exclusive end). */
  readonly next: number;
  readonly isComplete: boolean;
  readonly error?: string;
}

async function readToEnd(model: Model, real: Real, log: Log, from: number): Promise<Read> {
  const { topic, partition } = log;
  const { clock, reader } = real;
  const process = `reader/${topic}/${partition}`;
  real.recorder.invoke({ f: 'assign', process, topic, partition, offset: from })({ type: 'ok' });
  const consumer = reader.topic(topic).consumer({ from: BigInt(from), until: 'latest', partitions: [partition], fetchWait: 100 });
  let isLate = false;
  const giveUp = clock.after(fetchMs, () => {
    isLate = true;
    void consumer.close();
  });
  const read = await endsWithin(real, `a read of ${nameOf(log)}`, pollAll(model, real, log, consumer, from), fetchMs + closeMs);
  giveUp();
  await endsWithin(real, 'a consumer closes', consumer.close(), closeMs);
  return { ...read, isComplete: read.isComplete && !isLate };
}

async function pollAll(
  model: Model,
  { recorder }: Real,
  log: Log,
  consumer: Consumer<Uint8Array, Uint8Array>,
  from: number,
): Promise<Read> {
  const { topic, partition } = log;
  const process = `reader/${topic}/${partition}`;
  const batches = consumer.batches()[Symbol.asyncIterator]();
  for (let next = from; ; ) {
    const complete = recorder.invoke({ f: 'poll', process, topic, partition });
    let polled: IteratorResult<ConsumedBatch<Uint8Array, Uint8Array>, void>;
    try {
      polled = await batches.next();
    } catch (error) {
      complete(readFailure(error));
      // Retention may have been quicker than the reader; nothing else takes away what was there.
      const expected = [...(log.keepBytesMin === undefined ? [] : ['OFFSET_OUT_OF_RANGE']), ...(topic === 'jobs' ? ['UNKNOWN_TOPIC'] : [])];
      return { next, isComplete: false, error: honest(`a read of ${nameOf(log)} at ${next}`, error, expected).code };
    }
    const { done, value } = polled;
    if (done === true) {
      complete({ type: 'fail', error: 'CLOSED' });
      return { next, isComplete: true };
    }
    const records = value.records.map(readRecord);
    complete({ type: 'ok', records });
    for (const { offset, id } of records) {
      require(offset === next, 'readers get every offset, in order', () => ({ log: nameOf(log), offset, next }));
      learnPosition(model, log, offset, id);
      next += 1;
    }
  }
}

/** Asks for the bounds of all partitions of a topic. */
export function offsets(topic: string): ModelCommand {
  const name = `Offsets(${topic})`;
  return command({
    name,
    check: (model) => logAt(model, { topic, partition: 0 }) !== undefined,
    run: async (model, real) => {
      const logs = [...model.logs.values()].filter((log) => log.topic === topic);
      const before = logs.map(({ end, start }) => ({ end, start }));
      const mustFail = logs.some((log) => !hasMajority(model, log.replicas));
      const mustServe = isCalm(model, real.clock.monotonicMs());
      const asked = logs.map((log) => ask(real, log));
      try {
        const asking = real.reader.topic(topic).offsets({ timeout: offsetsMs });
        const told = await endsWithin(real, name, asking, offsetsMs + graceMs);
        require(!mustFail, 'no bounds are told without a majority', () => ({ name }));
        logs.forEach((log, place) => {
          const found = told.find(({ partition }) => partition === log.partition);
          const [earliest, latest] = [Number(found?.earliest), Number(found?.latest)];
          asked[place]!.end({ type: 'ok', offset: latest });
          asked[place]!.start({ type: 'ok', offset: earliest });
          const facts = (): unknown => ({ log: nameOf(log), earliest, latest, before: before[place] });
          require(latest >= before[place]!.end, 'an end does not go back', facts);
          require(latest <= endMax(model, log), 'an end counts only what was sent', facts);
          require(earliest <= latest, 'a log starts before it ends', facts);
          learnStart(log, earliest);
          learnEnd(log, latest);
        });
        real.took('offsets');
      } catch (error) {
        const told = readFailure(honest(name, error, topic === 'jobs' ? ['UNKNOWN_TOPIC'] : []));
        for (const { end, start } of asked) {
          end(told);
          start(told);
        }
        require(!mustServe, 'a calm cluster serves', () => ({ name, told }));
        if (mustFail) real.took('call without a majority');
      }
    },
  });
}

function ask({ recorder }: Real, { topic, partition }: Log) {
  const process = `bounds/${topic}/${partition}`;
  return {
    end: recorder.invoke({ f: 'end-offset', process: `${process}/end`, topic, partition }),
    start: recorder.invoke({ f: 'start-offset', process: `${process}/start`, topic, partition }),
  };
}

/** More records cannot be there. */
function endMax({ values }: Model, { topic, partition }: Log): number {
  let sum = 0;
  for (const value of values.values())
    if (value.log.topic === topic && value.log.partition === partition && value.fate !== 'refused') sum += copiesMax(value);
  return sum;
}
