/** All clients of a run but its probes: who they are, and how they end. */
import type { HistoryRecorder } from '../history/recorder.ts';
import type { Chance } from '../nemesis/chance.ts';
import type { LoadControl } from '../nemesis/load-control.ts';
import type { Load } from '../scenario/load.ts';
import type { TopicPlan } from '../scenario/scenario.ts';
import { runAskOffsets } from './ask-offsets.ts';
import { churnedTopic, runChurn } from './churn-topics.ts';
import { runConsumer } from './consumers.ts';
import { createCrew, type Crew, employ } from './crew.ts';
import { startProducers } from './producers.ts';

export interface WorkloadOptions {
  readonly address: string;
  readonly load: Load;
  readonly topics: readonly TopicPlan[];
  readonly history: HistoryRecorder;
  readonly nowNs: () => number;
  readonly random: Chance;
  readonly nextId: () => number;
}

export interface Workload extends LoadControl {
  /** Records acknowledged so far. */
  readonly acked: () => number;
  /** Records that were due and not sent, as too many had no answer or a producer was not connected. */
  readonly skipped: () => number;
  /** What went wrong in the workers themselves. */
  readonly failures: readonly Error[];
  /** Settles when every operation has been answered or given up. */
  readonly stop: () => Promise<void>;
}

const slowPauseMs = 1000;

export function startWorkload({ load, topics, ...options }: WorkloadOptions): Workload {
  const crew = createCrew(options);
  const producers = startProducers(crew, load, topics);
  employConsumers(crew, load, topics);
  for (const topic of topics) employ(crew, `watcher-${topic.name}`, (balsa) => runAskOffsets(crew, balsa, 'watcher', topic));
  if (load.topicChurn) employChurn(crew, topics);
  return {
    acked: () => crew.acked,
    skipped: producers.skipped,
    setRate: producers.setRate,
    setRepeats: producers.setRepeats,
    repeats: producers.repeats,
    crashProducer: producers.crashProducer,
    failures: crew.failures,
    stop: async () => {
      crew.stop.abort();
      await Promise.all([producers.stop(), ...crew.running]);
    },
  };
}

/** Dealt to topics and partitions in turn. */
function employConsumers(crew: Crew, load: Load, topics: readonly TopicPlan[]): void {
  for (let number = 0; number < load.consumers + load.slowConsumers; number += 1) {
    const topic = topics[number % topics.length];
    if (topic === undefined) return;
    const partition = Math.floor(number / topics.length) % topic.partitions;
    const isSlow = number >= load.consumers;
    const name = `${isSlow ? 'slow-' : ''}consumer-${number + 1}`;
    const plan = { name, topic: topic.name, partition, pauseMs: isSlow ? slowPauseMs : 0 };
    employ(crew, name, (balsa) => runConsumer(crew, balsa, plan));
  }
}

function employChurn(crew: Crew, topics: readonly TopicPlan[]): void {
  const name = churnedTopic(topics.map((topic) => topic.name));
  const replicas = Math.min(...topics.map((topic) => topic.replicas));
  employ(crew, 'churn', (balsa) => runChurn(crew, balsa, name, replicas));
}
