/**
 * A producer of the workload: sends small groups of records, pipelined, and goes on after
 * every failure as an application would. After an unknown outcome it takes a new process
 * name (rules of histories), but keeps its producer, which promises order beyond that.
 */
import type { Acks, Balsa, Producer } from '@balsa/client';
import { sendEnding } from '@balsa/chaos/workload/answers.ts';
import { batchBytesMax } from './topic-limits.ts';
import { fingerprint, makeValue } from './values.ts';
import type { Worker } from './worker.ts';

export interface ProducerPlan {
  readonly topic: string;
  readonly partitions: number;
  readonly acks: Acks;
  readonly idempotent: boolean;
  /** Longest pause between two sends. */
  readonly pauseMsMax: number;
  readonly recordsMax: number;
  readonly paddingBytesMax: number;
  /** Sends under way at once. */
  readonly pipelineMax: number;
  readonly deliveryTimeoutMs: number;
}

type ByteProducer = Producer<Uint8Array, Uint8Array>;

interface State {
  readonly worker: Worker;
  readonly plan: ProducerPlan;
  /** Sequences of its process name. */
  turn: number;
  underway: number;
}

export async function runProducer(worker: Worker, balsa: Balsa, plan: ProducerPlan): Promise<void> {
  const state: State = { worker, plan, turn: 0, underway: 0 };
  const { acks, idempotent, deliveryTimeoutMs } = plan;
  const producer = balsa.topic(plan.topic).producer({ acks, idempotent, batchBytesMax, deliveryTimeout: deliveryTimeoutMs });
  while (!worker.stopping()) {
    await worker.pause(worker.random.below(plan.pauseMsMax));
    if (state.underway < plan.pipelineMax && !worker.stopping()) void sendSome(state, producer);
  }
  await producer.close().catch(() => {});
}

async function sendSome(state: State, producer: ByteProducer): Promise<void> {
  const { worker, plan } = state;
  const { random, recorder } = worker;
  const partition = random.below(plan.partitions);
  const timestamp = worker.wallMs();
  const values = Array.from({ length: random.between(1, plan.recordsMax) }, () =>
    makeValue(recorder.next(), random.below(plan.paddingBytesMax)),
  );
  state.underway += 1;
  const complete = recorder.invoke({
    f: 'send',
    process: `${worker.name}#${state.turn}`,
    session: worker.name,
    topic: plan.topic,
    partition,
    acks: plan.acks,
    idempotent: plan.idempotent,
    records: values.map(({ id, bytes }) => ({ id, fingerprint: fingerprint(null, bytes, timestamp) })),
  });
  const sends = values.map(({ bytes }) => producer.send({ value: bytes, partition, timestamp }));
  const results = await Promise.allSettled(sends);
  state.underway -= 1;
  const outcome = sendEnding(plan.idempotent, results);
  if (outcome.type === 'info') state.turn += 1;
  worker.note(`send-${plan.acks}-${outcome.type}`);
  complete(outcome);
}
