/** Sends, awaited or left under way while other commands go on. */
import { type Acks, BalsaError, type SendResult } from '@balsa/client';
import { require, SimFailure } from '../../../sim/checks/sim-failure.ts';
import { fingerprint, makeValue } from '../../../sim/workload/values.ts';
import type { CompletionFacts } from '../../../sim/workload/recorder.ts';
import { command, logAt, type ModelCommand } from '../command.ts';
import { honest } from '../honest.ts';
import { describeValue, learnPosition } from '../learn.ts';
import { hasMajority, isCalm, type Log, type Model, type Place, placeName, type Value } from '../model.ts';
import { endsWithin, type Real, type Session } from '../real.ts';
import { resetAll } from './network.ts';

export interface ProduceOptions extends Place {
  readonly acks: Acks;
  readonly idempotent: boolean;
  readonly records: number;
  readonly paddingBytes: number;
  /** How long the command waits: for the answer, for that of a repeated request as the first one gets lost, or so many milliseconds. */
  readonly wait: 'answer' | 'lost answer' | number;
}

export const deliveryTimeoutMs = 2000;
/** The producer's timer has this grain, and one more turn. */
const graceMs = 250;
/** Small, so that retention need not take more than this at once. */
export const batchBytesMax = 1024;

export function produce(options: ProduceOptions): ModelCommand {
  const { acks, idempotent, records, paddingBytes, wait } = options;
  const name = `${idempotent ? 'Produce' : 'ProduceNonIdempotent'}(${placeName(options)}, ${records}x${paddingBytes}B, ${acks}, ${wait})`;
  return command({
    name,
    check: (model) => logAt(model, options) !== undefined,
    run: async (model, real) => {
      const log = logAt(model, options);
      if (log === undefined) return;
      const mustFail = !hasMajority(model, log.replicas);
      const mustServe = isCalm(model, real.clock.monotonicMs()) && wait === 'answer';
      const { values, settled } = send(model, real, log, options);
      if (typeof wait === 'number') return await real.clock.advance(wait);
      if (wait === 'lost answer') await loseAnswers(model, real, values);
      await endsWithin(real, name, settled, deliveryTimeoutMs + graceMs + 50);
      const facts = (): unknown => ({ name, values: values.map(describeValue) });
      const isAcked = values.every(({ fate }) => fate === 'acked' || fate === 'weak');
      require(!mustServe || isAcked, 'a calm cluster serves', facts);
      require(!(mustFail && values.some(({ fate }) => fate === 'acked')), 'nothing is acknowledged without a majority', facts);
      if (mustFail) real.took('call without a majority');
    },
  });
}

const onWireMs = 100;

/** The producers' connections break as soon as the requests are on their way: these arrive, and nobody hears of it. */
async function loseAnswers(model: Model, real: Real, values: readonly Value[]): Promise<void> {
  const isOnWire = (): boolean => values.every(({ attempts }) => attempts > 0);
  const endMs = real.clock.monotonicMs() + onWireMs;
  await real.clock.until('requests are sent', () => isOnWire() || real.clock.monotonicMs() >= endMs, onWireMs * 2).catch(() => {});
  if (!isOnWire()) return;
  resetAll(model, real);
  real.took('answer lost');
}

interface Sent {
  readonly values: readonly Value[];
  readonly settled: Promise<void>;
}

/** Begins a send; what becomes of it goes into the model and the history whenever it is known. */
export function send(model: Model, real: Real, log: Log, options: ProduceOptions): Sent {
  const { recorder, clock } = real;
  const { acks, idempotent, partition, paddingBytes } = options;
  const session = sessionOf(real, options);
  const timestamp = clock.wallMs();
  const made = Array.from({ length: options.records }, () => makeValue(recorder.next(), paddingBytes));
  const values = made.map(({ id, bytes }): Value => {
    const value: Value = {
      id,
      bytes: bytes.length,
      session: session.name,
      idempotent,
      acks,
      log,
      fate: 'pending',
      offsets: new Set(),
      attempts: 0,
    };
    model.values.set(id, value);
    return value;
  });
  const complete = recorder.invoke({
    f: 'send',
    process: `${session.name}#${session.turn}`,
    session: session.name,
    topic: log.topic,
    partition,
    acks,
    idempotent,
    records: made.map(({ id, bytes }) => ({ id, fingerprint: fingerprint(null, bytes, timestamp) })),
  });
  const begunMs = clock.monotonicMs();
  const sends = made.map(({ bytes }) => session.producer.send({ value: bytes, partition, timestamp }));
  const settled = Promise.allSettled(sends).then((results) => {
    const outcome = outcomeOf(results, values);
    // Only now, in the order of the history: what completes with an unknown outcome takes the name with it.
    if (outcome.type === 'info') session.turn += 1;
    complete(outcome);
    results.forEach((result, place) => settle(model, values[place]!, result));
    const tookMs = clock.monotonicMs() - begunMs;
    require(tookMs <= deliveryTimeoutMs + graceMs, 'sends end within their deadline', () => ({
      tookMs,
      values: values.map(describeValue),
    }));
    real.took(`send ${idempotent ? 'idempotent' : 'non-idempotent'} ${acks} ${outcome.type}`);
    if (values.some(({ attempts }) => attempts > 1)) real.took('repeated request');
  });
  settled.catch((error: unknown) => {
    real.run.failure ??= error;
  });
  return { values, settled };
}

function sessionOf({ sessions, writer }: Real, { topic, acks, idempotent }: ProduceOptions): Session {
  const name = `${idempotent ? 'idempotent' : 'plain'}-${acks}@${topic}`;
  const known = sessions.get(name);
  if (known !== undefined) return known;
  const producer = writer.topic(topic).producer({ acks, idempotent, batchBytesMax, deliveryTimeout: deliveryTimeoutMs });
  const session = { name, producer, turn: 0 };
  sessions.set(name, session);
  return session;
}

function settle(model: Model, value: Value, result: PromiseSettledResult<SendResult>): void {
  if (result.status === 'fulfilled') {
    value.fate = value.acks === 'quorum' ? 'acked' : 'weak';
    const { offset } = result.value;
    if (offset !== undefined && value.fate === 'acked') learnPosition(model, value.log, Number(offset), value.id);
    return;
  }
  const { effect } = honest(`send of value ${value.id}`, result.reason, value.log.topic === 'jobs' ? ['UNKNOWN_TOPIC'] : []);
  value.fate = effect === 'none' ? 'refused' : 'unknown';
  require(value.fate === 'unknown' || value.offsets.size === 0, 'what was read is not refused', () => describeValue(value));
}

/** The operation as a whole, for the history. */
function outcomeOf(results: readonly PromiseSettledResult<SendResult>[], values: readonly Value[]): CompletionFacts {
  const attempts = Math.max(1, ...values.map((value) => value.attempts));
  const done = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (done.length === results.length) {
    return { type: 'ok', offsets: done.map(({ offset }) => (offset === undefined ? null : Number(offset))), attempts };
  }
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  const [first] = errors;
  if (!(first instanceof BalsaError)) throw new SimFailure('errors are honest', String(first));
  const isDefinite = done.length === 0 && errors.every((error) => error instanceof BalsaError && error.effect === 'none');
  return { type: isDefinite ? 'fail' : 'info', error: first.code, attempts };
}
