/** Creates, alters and deletes a topic again and again, and asks which topics there are. */
import type { Balsa, TopicDescription } from '@balsa/client';
import { failure, readFailure } from './recorder.ts';
import { topicLimits } from './topic-limits.ts';
import type { Worker } from './worker.ts';

export interface TopicsPlan {
  readonly topic: string;
  readonly replicas: number;
  readonly pauseMsMax: number;
}

/** Every operation is made by a process of its own, as any may end unknown. */
export async function runTopics(worker: Worker, balsa: Balsa, plan: TopicsPlan): Promise<void> {
  const owner: Owner = { worker, balsa, plan, known: 'gone' };
  await create(owner, `${worker.name}#first`);
  for (let turn = 0; !worker.stopping(); turn++) {
    await worker.pause(worker.random.below(plan.pauseMsMax));
    if (worker.stopping()) return;
    const process = `${worker.name}#${turn}`;
    const dice = worker.random.below(3);
    if (dice === 0) await create(owner, process);
    else if (dice === 1) await remove(owner, process);
    else await describe(worker, balsa, process);
  }
}

/**
 * The only one who creates and deletes the topic. What it knows for certain matters: after a
 * try of unknown outcome the library takes "it exists" (or "it does not") for its own success.
 */
interface Owner {
  readonly worker: Worker;
  readonly balsa: Balsa;
  readonly plan: TopicsPlan;
  known: 'exists' | 'gone' | 'unknown';
}

const incarnationOf = ({ partitions }: TopicDescription): string => String(partitions[0]?.groupId);

async function create(owner: Owner, process: string): Promise<void> {
  const { worker, balsa, plan } = owner;
  const { recorder, note } = worker;
  const wasGone = owner.known === 'gone';
  const complete = recorder.invoke({ f: 'create-topic', process, topic: plan.topic });
  try {
    const created = await balsa.admin.topics.create(plan.topic, { partitions: 1, replicas: plan.replicas, config: topicLimits });
    const incarnation = incarnationOf(created);
    const isNew =
      wasGone ||
      !recorder.events.some((event) => event.f === 'create-topic' && 'incarnation' in event && event.incarnation === incarnation);
    owner.known = isNew ? 'exists' : 'unknown';
    note(wasGone ? 'topic-created' : 'topic-adopted');
    // A try of unknown outcome may have created what this one found.
    complete(wasGone ? { type: 'ok', incarnation } : { type: 'info', error: 'TOPIC_EXISTS' });
  } catch (error) {
    const outcome = failure(error);
    if (outcome.type === 'info') owner.known = 'unknown';
    complete(outcome);
  }
}

async function remove(owner: Owner, process: string): Promise<void> {
  const { worker, balsa, plan } = owner;
  const { recorder, note } = worker;
  const wasThere = owner.known === 'exists';
  const complete = recorder.invoke({ f: 'delete-topic', process, topic: plan.topic });
  try {
    await balsa.admin.topics.delete(plan.topic);
    note('topic-deleted');
    owner.known = wasThere ? 'gone' : 'unknown';
    complete(wasThere ? { type: 'ok' } : { type: 'info', error: 'UNKNOWN_TOPIC' });
  } catch (error) {
    const outcome = failure(error);
    if (outcome.type === 'info') owner.known = 'unknown';
    complete(outcome);
  }
}

async function describe({ recorder, note }: Worker, balsa: Balsa, process: string): Promise<void> {
  const complete = recorder.invoke({ f: 'describe-topics', process });
  try {
    const topics = await balsa.admin.topics.list();
    note('topics-listed');
    complete({ type: 'ok', topics: topics.map((topic) => ({ name: topic.name, incarnation: incarnationOf(topic) })) });
  } catch (error) {
    complete(readFailure(error));
  }
}
