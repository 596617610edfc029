/** One send of a producer of the workload, from the invocation to what became of it. */
import type { Acks, Producer } from '@balsa/client';
import type { PartitionRef } from '../record/timeline.ts';
import { attemptsOf, sendEnding, type SendEnding } from './answers.ts';
import type { Crew } from './crew.ts';
import { fingerprint, makeValue } from './values.ts';

/** Producers of one client of the library, and how the history names them. */
export interface ProducerSession {
  readonly session: string;
  readonly acks: Acks;
  readonly idempotent: boolean;
  readonly producerOf: (topic: string) => Producer<Uint8Array, Uint8Array>;
  /** Process names: after an unknown outcome another one takes over (rules of histories). */
  turn: number;
  /** Operations without an answer. */
  readonly open: Map<number, Promise<SendEnding>>;
}

export function createSession(options: Omit<ProducerSession, 'turn' | 'open'>): ProducerSession {
  return { ...options, turn: 0, open: new Map() };
}

export interface Sent {
  /** Value id of its first record. */
  readonly id: number;
  /** Rejects only with what is no error of the client library. */
  readonly done: Promise<SendEnding>;
}

/** It may have been repeated as often as any other. */
const givenUpBy = ({ idempotent }: ProducerSession): SendEnding => ({ type: 'info', error: 'CLOSED', attempts: attemptsOf(idempotent) });

/** `sizesBytes` has one size per record, and at least one. */
export function send(crew: Crew, session: ProducerSession, { topic, partition }: PartitionRef, sizesBytes: readonly number[]): Sent {
  const timestamp = Date.now();
  const values = sizesBytes.map((size) => makeValue(crew.nextId(), size));
  const { acks, idempotent } = session;
  const producer = session.producerOf(topic);
  const op = crew.history.invoke({
    f: 'send',
    process: `${session.session}#${session.turn}`,
    session: session.session,
    topic,
    partition,
    acks,
    idempotent,
    records: values.map(({ id, bytes }) => ({ id, fingerprint: fingerprint(null, bytes, timestamp) })),
  });
  const sends = values.map(({ bytes }) => producer.send({ value: bytes, partition, timestamp }));
  const done = Promise.allSettled(sends).then((results) => {
    // Whoever gave it up has completed it.
    if (!session.open.delete(op)) return givenUpBy(session);
    const ending = sendEnding(idempotent, results);
    if (ending.type === 'info') session.turn += 1;
    if (ending.type === 'ok') crew.acked += values.length;
    crew.history.complete(op, ending);
    return ending;
  });
  session.open.set(op, done);
  return { id: values[0]?.id ?? 0, done };
}

/** What is open gets no answer any more; returns how many operations that were. */
export function giveUp(crew: Crew, session: ProducerSession): number {
  const open = [...session.open.keys()];
  session.open.clear();
  for (const op of open) crew.history.complete(op, givenUpBy(session));
  return open.length;
}
