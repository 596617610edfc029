/**
 * Probes of availability, open loop: one of each kind per partition and period, due at fixed
 * times. Writes are sends of the history as well, and reads questions for the end of the log.
 * They have connections of their own: load does not delay them but at the brokers.
 *
 * Bounds: `probedPartitionsMax` partitions, spread over all; `openMax` probes without an
 * answer, beyond which one that is due counts as missed without being sent.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Acks, type Balsa, connect } from '@balsa/client';
import type { ProbeSample } from '../record/probe-sample.ts';
import type { PartitionRef } from '../record/timeline.ts';
import type { ProbePlan } from '../scenario/load.ts';
import type { TopicPlan } from '../scenario/scenario.ts';
import { closeClient, createCrew, type Crew, guard, noteFailure, undertake } from './crew.ts';
import { createOpenLoop, takeDue } from './open-loop.ts';
import { createLedger, type ProbeLedger } from './probe-ledger.ts';
import { createSubject, probeRead, probeWrite, type Subject } from './probe-subject.ts';
import { placesOf } from './producers.ts';
import { watchStalls } from './stalls.ts';
import type { WorkloadOptions } from './workload.ts';

export interface ProbesOptions extends Omit<WorkloadOptions, 'load'> {
  readonly plan: ProbePlan;
  /** Of write probes; default: quorum. */
  readonly acks?: Acks | undefined;
  readonly onSample: (sample: ProbeSample) => void;
  /** This process itself was late by so many milliseconds: what was measured then says little about the cluster. */
  readonly onStall: (ms: number) => void;
}

export interface Probes {
  readonly partitions: readonly PartitionRef[];
  readonly failures: readonly Error[];
  /** Settles when every probe has been answered or has missed its deadline. */
  readonly stop: () => Promise<void>;
}

interface Probing {
  readonly options: ProbesOptions;
  readonly crew: Crew;
  readonly ledger: ProbeLedger;
  readonly subjects: readonly Subject[];
}

const probedPartitionsMax = 32;
const openMax = 20_000;
const nsPerMs = 1e6;
const startMsMax = 30_000;
const closeTimeoutMs = 2_000;
const pollMs = 10;
/** The library ends a call a little behind its deadline; what takes longer is given up. */
const graceMs = 2_000;

/** Rejects if the cluster does not answer at all: probes begin in calm. */
export async function startProbes(options: ProbesOptions): Promise<Probes> {
  const { plan, topics, onSample, address, acks = 'quorum' } = options;
  await using started = new AsyncDisposableStack();
  const open = async (clientId: string): Promise<Balsa> => {
    const balsa = await connect(address, { clientId, timeout: startMsMax, requestTimeout: plan.deadlineMs });
    started.defer(() => closeClient(balsa, closeTimeoutMs));
    return balsa;
  };
  const crew = createCrew(options);
  const balsa = await open('probes');
  const followers = plan.kinds.includes('consume') ? await open('probe-followers') : undefined;
  started.defer(() => crew.stop.abort());
  const parts = { crew, balsa, followers, acks, deadlineMs: plan.deadlineMs, onSample };
  const subjects = await Promise.all(spread(topics).map((place) => createSubject(parts, place)));
  const ledger = createLedger({ ...plan, kinds: new Set(plan.kinds), openMax, onSample });
  const probing: Probing = { options, crew, ledger, subjects };
  const stopSchedule = startSchedule(probing);
  const stopWatching = watchStalls(options.onStall);
  const owned = started.move();
  return {
    partitions: subjects.map(({ topic, partition }) => ({ topic, partition })),
    failures: crew.failures,
    stop: async () => {
      stopSchedule();
      stopWatching();
      await untilAnswered(probing);
      await owned.disposeAsync().catch((error: unknown) => noteFailure(crew, 'probes', error));
      await Promise.all(crew.running);
    },
  };
}

/** All partitions, or as many as are probed, evenly chosen. */
export function spread(topics: readonly Pick<TopicPlan, 'name' | 'partitions'>[]): readonly PartitionRef[] {
  const all = placesOf(topics);
  const count = Math.min(all.length, probedPartitionsMax);
  return Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]).filter((place) => place !== undefined);
}

/** Spread over the period, so that probes do not queue behind each other. What is returned ends it. */
function startSchedule(probing: Probing): () => void {
  const { options, crew, subjects } = probing;
  const { nowNs, plan } = options;
  const startMs = nowNs() / nsPerMs;
  const loops = subjects.map((subject, i) => ({
    subject,
    loop: createOpenLoop(startMs + (i * plan.periodMs) / subjects.length, plan.periodMs),
  }));
  let timer: NodeJS.Timeout;
  const tick = (): void => {
    const nowMs = nowNs() / nsPerMs;
    for (const { subject, loop } of loops) {
      for (const dueMs of takeDue(loop, nowMs)) guard(crew, 'probes', () => probe(probing, subject, Math.round(dueMs * nsPerMs)));
    }
    arm();
  };
  const arm = (): void => {
    const nextMs = Math.min(...loops.map(({ loop }) => loop.nextMs));
    timer = setTimeout(tick, Math.max(0, Math.ceil(nextMs - nowNs() / nsPerMs)));
  };
  arm();
  return () => clearTimeout(timer);
}

function probe({ options, crew, ledger }: Probing, subject: Subject, dueNs: number): void {
  const { kinds } = options.plan;
  const attempt = (kind: 'write' | 'read', make: (crew: Crew, subject: Subject) => Promise<string | undefined>): void => {
    const end = ledger.begin(kind, subject, dueNs);
    if (end === undefined) return;
    undertake(crew, `${kind} probe of ${subject.topic}/${subject.partition}`, async () => {
      let error: string | undefined = 'INTERNAL';
      try {
        error = await make(crew, subject);
      } finally {
        end(crew.nowNs(), error);
      }
    });
  };
  // Records to follow need records to be written.
  if (kinds.includes('write') || subject.arrivals !== undefined) attempt('write', probeWrite);
  if (kinds.includes('read')) attempt('read', probeRead);
}

async function untilAnswered({ options, ledger, subjects, crew }: Probing): Promise<void> {
  const endMs = performance.now() + options.plan.deadlineMs + graceMs;
  const isDone = (): boolean => ledger.open() === 0 && subjects.every(({ arrivals }) => (arrivals?.awaited() ?? 0) === 0);
  while (!isDone() && performance.now() < endMs) await delay(pollMs);
  // What has no answer even now ends when the clients are closed.
  if (!isDone()) noteFailure(crew, 'probes', new Error(`${ledger.open()} probes had no answer ${graceMs} ms after their deadline`));
}
