/**
 * Tells which life of its topic each poll read: by time, or else by its values, or else by the
 * other polls of the same reader.
 *
 * Lives follow each other in time, so a reader that met one life before a poll and after it
 * met the same in between. Drains and reads of single replicas come when nothing changes any
 * more: all of one reader met the same life.
 */
import type { Value } from './log-facts.ts';
import type { PollOperation } from './operations.ts';
import { livesMet, type TopicLife } from './topic-lives.ts';

export interface LifeFacts {
  readonly livesOf: (topic: string) => readonly TopicLife[];
  readonly values: ReadonlyMap<number, Value>;
}

/** `polls` in order of invocation; those that are not in the result may have read several lives. */
export function livesRead(polls: readonly PollOperation[], facts: LifeFacts): ReadonlyMap<PollOperation, TopicLife> {
  const lives = new Map<PollOperation, TopicLife>();
  const lifeOfValue = new Map<number, TopicLife>();
  for (const poll of polls) {
    const life = lifeTold(poll, facts, lifeOfValue);
    if (life === undefined) continue;
    lives.set(poll, life);
    for (const { id } of poll.ok?.records ?? []) if (!lifeOfValue.has(id)) lifeOfValue.set(id, life);
  }
  const readers = Map.groupBy(polls, ({ invoke: { process, topic, partition } }) => `${process}/${topic}/${partition}`);
  for (const ofReader of readers.values()) if (ofReader.some((poll) => !lives.has(poll))) fillGaps(ofReader, lives, facts);
  return lives;
}

function lifeTold(poll: PollOperation, { livesOf, values }: LifeFacts, lifeOfValue: ReadonlyMap<number, TopicLife>): TopicLife | undefined {
  const met = livesMet(livesOf(poll.invoke.topic), poll);
  if (met.length <= 1) return met[0];
  const told = new Set(poll.ok?.records.flatMap(({ id }) => values.get(id)?.log?.life ?? lifeOfValue.get(id) ?? []));
  const [only, ...rest] = told;
  return only !== undefined && rest.length === 0 && met.includes(only) ? only : undefined;
}

function fillGaps(polls: readonly PollOperation[], lives: Map<PollOperation, TopicLife>, { livesOf }: LifeFacts): void {
  const known = polls.map((poll) => lives.get(poll));
  const [only, ...others] = new Set(known.filter((life) => life !== undefined));
  const before = carried(known);
  const after = carried(known.toReversed()).toReversed();
  for (const [place, poll] of polls.entries()) {
    if (known[place] !== undefined) continue;
    const isAtEnd = (poll.invoke.source ?? 'client') !== 'client' && others.length === 0;
    const between = before[place] === after[place] ? before[place] : undefined;
    const life = isAtEnd ? only : between;
    if (life !== undefined && livesMet(livesOf(poll.invoke.topic), poll).includes(life)) lives.set(poll, life);
  }
}

/** At each place the last one that is known there or before. */
function carried(known: readonly (TopicLife | undefined)[]): (TopicLife | undefined)[] {
  let last: TopicLife | undefined;
  return known.map((life) => (last = life ?? last));
}
