/** One partition under probes, and what a single probe of it does. */
import type { Acks, Balsa } from '@balsa/client';
import type { ProbeSample } from '../record/probe-sample.ts';
import type { PartitionRef } from '../record/timeline.ts';
import { readFailure } from './answers.ts';
import { type Arrivals, createArrivals } from './arrivals.ts';
import type { Crew } from './crew.ts';
import { followLog } from './follow-log.ts';
import { createSession, type ProducerSession, send } from './send.ts';

export interface Subject extends PartitionRef {
  readonly balsa: Balsa;
  readonly deadlineMs: number;
  readonly session: ProducerSession;
  /** Undefined: nobody follows it. */
  readonly arrivals: Arrivals | undefined;
  /** Processes of the history that have no question under way. */
  readonly idle: string[];
  processes: number;
}

export interface SubjectOptions {
  readonly crew: Crew;
  readonly balsa: Balsa;
  /** Who follows the logs; undefined: nobody does. */
  readonly followers: Balsa | undefined;
  readonly acks: Acks;
  readonly deadlineMs: number;
  readonly onSample: (sample: ProbeSample) => void;
}

const probeBytes = 32;
const startMsMax = 30_000;

export async function createSubject(options: SubjectOptions, { topic, partition }: PartitionRef): Promise<Subject> {
  const { crew, balsa, followers, acks, deadlineMs, onSample } = options;
  const producer = balsa.topic(topic).producer({ acks, deliveryTimeout: deadlineMs });
  const session = createSession({ session: `probe-${topic}-${partition}`, acks, idempotent: true, producerOf: () => producer });
  const bare = { topic, partition, balsa, deadlineMs, session, idle: [], processes: 0 };
  if (followers === undefined) return { ...bare, arrivals: undefined };
  const arrivals = createArrivals({ topic, partition }, deadlineMs, onSample);
  // Asked before the first probe: a follower that is still connecting then misses nothing.
  const end = await endOf(followers, { topic, partition }, startMsMax);
  followLog(crew, followers, { topic, partition }, end, arrivals);
  return { ...bare, arrivals };
}

async function endOf(balsa: Balsa, { topic, partition }: PartitionRef, timeoutMs: number): Promise<bigint> {
  const [bounds] = await balsa.topic(topic).offsets({ partitions: [partition], timeout: timeoutMs });
  if (bounds === undefined) throw new Error(`no offsets of ${topic}/${partition}`);
  return bounds.latest;
}

/** Writes a record. Resolves to the code of the error, or undefined. */
export async function probeWrite(crew: Crew, { session, arrivals, topic, partition }: Subject): Promise<string | undefined> {
  const { id, done } = send(crew, session, { topic, partition }, [probeBytes]);
  arrivals?.sent(id);
  const ending = await done;
  if (ending.type !== 'ok') {
    arrivals?.failed(id);
    return ending.error;
  }
  arrivals?.acknowledged(id, crew.nowNs());
  return undefined;
}

/** Asks for the end of the log. Resolves to the code of the error, or undefined. */
export async function probeRead({ history }: Crew, subject: Subject): Promise<string | undefined> {
  const { topic, partition, idle, balsa, deadlineMs } = subject;
  const process = idle.pop() ?? `probe-${topic}-${partition}-end-${(subject.processes += 1)}`;
  const op = history.invoke({ f: 'end-offset', process, topic, partition });
  try {
    const offset = Number(await endOf(balsa, { topic, partition }, deadlineMs));
    history.complete(op, { type: 'ok', offset });
    return undefined;
  } catch (error) {
    const ending = readFailure(error);
    history.complete(op, ending);
    return ending.error;
  } finally {
    idle.push(process);
  }
}
