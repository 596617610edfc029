/** Creates, deletes and lists a topic again and again. Nobody else uses it: it is the metadata that is judged. */
import type { Balsa, TopicDescription } from '@balsa/client';
import { failure, readFailure } from './answers.ts';
import { type Crew, isStopping, pause } from './crew.ts';

const pauseMsMax = 1500;

/**
 * The only one who creates and deletes the topic. What it knows for certain matters: after a
 * try of unknown outcome the library takes "it exists" (or "it does not") for its own success.
 */
interface Owner {
  readonly crew: Crew;
  readonly balsa: Balsa;
  readonly topic: string;
  readonly replicas: number;
  /** Lives of the topic that were seen; who finds one again has not created it. */
  readonly seen: Set<string>;
  known: 'gone' | 'exists' | 'unknown';
}

/** The topic must not exist yet. Every operation is made by a process of its own, as any may end unknown. */
export async function runChurn(crew: Crew, balsa: Balsa, topic: string, replicas: number): Promise<void> {
  const owner: Owner = { crew, balsa, topic, replicas, seen: new Set(), known: 'gone' };
  for (let turn = 0; !isStopping(crew); turn += 1) {
    const process = `churn#${turn}`;
    const dice = turn === 0 ? 0 : crew.random.below(3);
    if (dice === 0) await create(owner, process);
    else if (dice === 1) await remove(owner, process);
    else await list(owner, process);
    await pause(crew, crew.random.below(pauseMsMax));
  }
}

/** A name that no topic of the scenario has. */
export function churnedTopic(others: readonly string[]): string {
  let name = 'churn';
  while (others.includes(name)) name += '-';
  return name;
}

const incarnationOf = ({ partitions }: TopicDescription): string => String(partitions[0]?.groupId);

async function create(owner: Owner, process: string): Promise<void> {
  const { crew, balsa, topic, replicas, seen } = owner;
  const wasGone = owner.known === 'gone';
  const op = crew.history.invoke({ f: 'create-topic', process, topic });
  try {
    const incarnation = incarnationOf(await balsa.admin.topics.create(topic, { partitions: 1, replicas }));
    const isNew = !seen.has(incarnation);
    seen.add(incarnation);
    owner.known = isNew ? 'exists' : 'unknown';
    // An earlier try of unknown outcome may have created what this one found.
    crew.history.complete(op, wasGone && isNew ? { type: 'ok', incarnation } : { type: 'info', error: 'TOPIC_EXISTS' });
  } catch (error) {
    settle(owner, op, error);
  }
}

async function remove(owner: Owner, process: string): Promise<void> {
  const { crew, balsa, topic } = owner;
  const wasThere = owner.known === 'exists';
  const op = crew.history.invoke({ f: 'delete-topic', process, topic });
  try {
    await balsa.admin.topics.delete(topic);
    owner.known = wasThere ? 'gone' : 'unknown';
    crew.history.complete(op, wasThere ? { type: 'ok' } : { type: 'info', error: 'UNKNOWN_TOPIC' });
  } catch (error) {
    settle(owner, op, error);
  }
}

function settle(owner: Owner, op: number, error: unknown): void {
  owner.known = 'unknown';
  owner.crew.history.complete(op, failure(error));
}

async function list(owner: Owner, process: string): Promise<void> {
  const { crew, balsa, topic: own, seen } = owner;
  const op = crew.history.invoke({ f: 'describe-topics', process });
  try {
    const topics = (await balsa.admin.topics.list()).map((topic) => ({ name: topic.name, incarnation: incarnationOf(topic) }));
    // The answer may be old, so it says nothing about whether the topic exists now.
    for (const { name, incarnation } of topics) if (name === own) seen.add(incarnation);
    crew.history.complete(op, { type: 'ok', topics });
  } catch (error) {
    crew.history.complete(op, readFailure(error));
  }
}
