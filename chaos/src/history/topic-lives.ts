/**
 * Tells which lives of a topic an operation may have met. A topic name can be deleted and
 * created again, and clients name topics. A life can be met from the invocation of its creation
 * on. When it can no longer be met, no client knows: brokers learn of a deletion one after
 * another, and those who are cut off keep answering for the old life, even after the next
 * creation is acknowledged. Nothing that it acknowledges after its deletion is promised.
 *
 * So an operation that may have met several lives is judged only if something tells which one:
 * an acknowledgement the incarnation, a read its values. What is read at rest, when nothing
 * fails or changes any more, meets no life whose successor was acknowledged before.
 */
import type { TopicOperation } from './operations.ts';

export interface TopicLife {
  readonly topic: string;
  /** 0 for the first, in order of creation. */
  readonly number: number;
  /** What its creation was told (CreateOk); undefined if nobody was told. */
  readonly incarnation: string | undefined;
  /** Position of the invocation that created it; -1 if the history does not show its creation. */
  readonly bornFrom: number;
  /** Position after which nobody may meet it at rest; Infinity for the last. */
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
    const incarnation = creation?.ok?.f === 'create-topic' ? creation.ok.incarnation : undefined;
    return { topic, number, incarnation, bornFrom, endsBy, deletableFrom, retention: retention ?? retentionByDefault };
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
  return lives.filter(({ bornFrom }) => span.to > bornFrom);
}

/** The lives that a read in `span` may have met when nothing failed or changed any more. */
export const livesMetAtRest = (lives: readonly TopicLife[], span: Span): readonly TopicLife[] =>
  lives.length === 1 ? lives : livesMet(lives, span).filter(({ endsBy }) => span.from < endsBy);

/** Those of `met` that can have called themselves `told`. */
export function livesCalled(met: readonly TopicLife[], told: string): readonly TopicLife[] {
  const known = met.filter(({ incarnation }) => incarnation === told);
  return known.length > 0 ? known : met.filter(({ incarnation }) => incarnation === undefined);
}
