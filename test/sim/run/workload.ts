/** Who works in a run, and the founding of the cluster before. */
import { start } from '../nemesis/lifecycle.ts';
import { runAskOffsets } from '../workload/ask-offsets.ts';
import { runConsumer } from '../workload/consume.ts';
import { type ProducerPlan, runProducer } from '../workload/produce.ts';
import { topicLimits } from '../workload/topic-limits.ts';
import { runTopics } from '../workload/topics.ts';
import { createWorker, employ } from '../workload/worker.ts';
import type { Stream } from '../world/random-streams.ts';
import type { RunState } from './run-state.ts';

export const mainTopic = 'orders';
const churnTopic = 'jobs';
const foundingMs = 20_000;

/** Starts all nodes and creates the topic; nothing fails yet. */
export async function found(run: RunState): Promise<void> {
  const { world, crew, options } = run;
  for (const node of world.nodes) start(run, node);
  const isReady = (): boolean =>
    world.nodes.every(({ life }) => life?.broker.readiness().every(({ problem }) => problem === undefined) === true);
  await world.clock.until('all nodes are ready', isReady, foundingMs);
  const worker = createWorker(crew, 'founder');
  const balsa = await world.clock.settle('a client connects to a new cluster', worker.client.connect(), foundingMs);
  const { retentionBytes } = options;
  const retention = retentionBytes !== undefined;
  const config = { ...topicLimits, ...(retention ? { 'retention.bytes': String(retentionBytes) } : {}) };
  const complete = crew.recorder.invoke({ f: 'create-topic', process: worker.name, topic: mainTopic, retention });
  const replicas = Math.min(3, options.nodes);
  const creating = balsa.admin.topics.create(mainTopic, { partitions: options.partitions, replicas, config }, { timeout: foundingMs });
  const topic = await world.clock.settle('the first topic is created', creating, foundingMs);
  complete({ type: 'ok', incarnation: String(topic.partitions[0]?.groupId) });
  await world.clock.settle('the founder leaves', balsa.close(), foundingMs);
}

export function startWorkload({ crew, options, world }: RunState): void {
  const random = world.random('plans');
  for (let number = 1; number <= options.producers; number++) {
    const plan = drawPlan(random, options.partitions);
    employ(crew, `producer${number}`, (worker, balsa) => runProducer(worker, balsa, plan));
  }
  for (let number = 1; number <= options.consumers; number++) {
    const partition = random.below(options.partitions);
    const plan = { topic: mainTopic, partition, pollsMax: random.pick([3, 30]) };
    employ(crew, `consumer${number}`, (worker, balsa) => runConsumer(worker, balsa, plan));
  }
  employ(crew, 'watcher', (worker, balsa) =>
    runAskOffsets(worker, balsa, { topic: mainTopic, partitions: options.partitions, pauseMsMax: 1000 }),
  );
  if (options.topicChurn) startChurn(crew, Math.min(3, options.nodes));
}

function drawPlan(random: Stream, partitions: number): ProducerPlan {
  return {
    topic: mainTopic,
    partitions,
    acks: random.pick(['quorum', 'quorum', 'quorum', 'leader']),
    idempotent: random.chance(750),
    pauseMsMax: random.pick([200, 600, 1500]),
    recordsMax: random.pick([1, 3, 8]),
    paddingBytesMax: random.pick([10, 300, 3000]),
    pipelineMax: random.pick([1, 8]),
    deliveryTimeoutMs: random.pick([1500, 5000]),
  };
}

function startChurn(crew: RunState['crew'], replicas: number): void {
  employ(crew, 'churn', (worker, balsa) => runTopics(worker, balsa, { topic: churnTopic, replicas, pauseMsMax: 1500 }));
  employ(crew, 'churn-producer', async (worker, balsa) => {
    const plan = { ...drawPlan(worker.random, 1), topic: churnTopic, pauseMsMax: 200 };
    while (!worker.stopping()) await runProducer(worker, balsa, plan);
  });
}
