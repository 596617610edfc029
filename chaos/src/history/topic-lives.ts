/**
 * Tells which life of a topic an operation met. A topic name can be deleted and created
 * again, and clients name topics, so the life follows from time: a life can be met from the
 * invocation of its creation on, and no longer once the next creation is acknowledged.
 *
 * Between a deletion and the next creation the old life may still answer (brokers learn of a
 * deletion one after another), and nothing that it acknowledges then is promised. An operation
 * that may have met several lives is not judged unless the values that it read tell which one.
 */
import type { TopicOperation } from './operations.ts';

export interface TopicLife {
  readonly topic: string;
  /** 0 for the first, in order of creation. */
  readonly number: number;
  /** Position of the invocation that created it; -1 if the history does not show its creation. */
  readonly bornFrom: number;
  /** Position after which nobody may meet it; Infinity for the last. */
  readonly endsBy: number;
  /** Position of the first invocation that may have deleted it. */
  readonly deletableFrom: number;
  readonly retention: boolean;
}

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** `operations` are those of one topic, in order of invocation. */
export function topicLives(topic: string, operations: readonly TopicOperation[], retentionByDefault: boolean): readonly TopicLife[] {
  const took = operations.filter(({ outcome }) => outcome !== 'fail');
  const deletions = took.filter(({ invoke }) => invoke.f === 'delete-topic');
  const mayDelete = (after: number, before: number): boolean => deletions.some(({ from, to }) => to > after && from < before);
  const creations = took.filter((creation) => creation.invoke.f === 'create-topic' && isPossible(creation, took, mayDelete));
  const live = (number: number, bornFrom: number, endsBy: number, creation: TopicOperation | undefined): TopicLife => {
    const retention = creation?.invoke.f === 'create-topic' ? creation.invoke.retention : undefined;
    const deletableFrom = deletions.find(({ to }) => to > bornFrom)?.from ?? Infinity;
    return { topic, number, bornFrom, endsBy, deletableFrom, retention: retention ?? retentionByDefault };
  };
  if (creations.length === 0) return [live(0, -1, Infinity, undefined)];
  return creations.map((creation, number) => {
    const next = took.find(({ invoke, outcome, from }) => invoke.f === 'create-topic' && outcome === 'ok' && from > creation.from);
    // A creation of unknown outcome may also take effect behind the next one, if that one is deleted.
    const isLate = next !== undefined && creation.outcome === 'info' && mayDelete(next.from, Infinity);
    return live(number, creation.from, next === undefined || isLate ? Infinity : next.to, creation);
  });
}

/** Whether a creation of unknown outcome may have created something: not while an older life surely lasted. */
function isPossible(
  creation: TopicOperation,
  took: readonly TopicOperation[],
  mayDelete: (after: number, before: number) => boolean,
): boolean {
  if (creation.outcome === 'ok') return true;
  const acknowledged = took.filter(({ invoke, outcome }) => invoke.f === 'create-topic' && outcome === 'ok');
  const before = acknowledged.findLast(({ to }) => to < creation.from);
  if (before !== undefined) return mayDelete(before.from, Infinity);
  // Somebody else created the topic, and nobody deleted it before that or since: this creation came too late.
  const after = acknowledged.find(({ to }) => to > creation.from);
  return after === undefined || mayDelete(creation.from, Infinity);
}

/** The lives that an operation in `span` may have met. */
export function livesMet(lives: readonly TopicLife[], span: Span): readonly TopicLife[] {
  if (lives.length === 1) return lives;
  return lives.filter(({ bornFrom, endsBy }) => span.to > bornFrom && span.from < endsBy);
}
