/**
 * Whether creations, deletions and look-ups of topics are linearizable (I-S15), topic by topic.
 *
 * Creations that failed with TOPIC_EXISTS and deletions that failed with UNKNOWN_TOPIC are
 * look-ups; other failures tell nothing about the topic. Look-ups count only if they ask for
 * a linearizable answer; of the others it is demanded that they show no incarnation before
 * its creation began; the same goes for acknowledgements. Topics whose creation the history does not show are not judged, and an
 * incarnation belongs to one name and one creation.
 */
import type { Findings } from '../anomaly.ts';
import { report } from '../anomaly.ts';
import type { History } from '../gather.ts';
import type { TopicOperation } from '../operations.ts';
import { isSend } from '../operations.ts';
import { explainTopic } from './topic-register.ts';

export function checkMetadata(history: History, found: Findings): void {
  for (const [topic, operations] of history.topicOperations) {
    const first = operations.find(({ invoke, outcome }) => invoke.f === 'create-topic' && outcome !== 'fail');
    if (first === undefined) continue;
    const lookUps = history.describes.filter(
      ({ invoke, outcome }) => outcome === 'ok' && invoke.linearizable === true && (invoke.topics?.includes(topic) ?? true),
    );
    const verdict = explainTopic(topic, [...operations.filter(tellsSomething), ...lookUps]);
    if (verdict.kind === 'undecided') report(found, 'undecided-metadata', topic, [], () => 'too many orders are possible');
    if (verdict.kind === 'unexplained') {
      report(found, 'nonlinearizable-metadata', topic, [verdict.op], () => 'no order of the operations explains this answer');
    }
  }
  checkIncarnations(history, found);
}

function tellsSomething({ invoke, outcome, notOk }: TopicOperation): boolean {
  if (outcome !== 'fail') return true;
  return notOk?.error === (invoke.f === 'create-topic' ? 'TOPIC_EXISTS' : 'UNKNOWN_TOPIC');
}

interface Birth {
  readonly topic: string;
  readonly op: number;
  readonly from: number;
}

function checkIncarnations({ topicOperations, describes, operations: all }: History, found: Findings): void {
  const births = new Map<string, Birth>();
  const firstCreation = new Map<string, number>();
  for (const [topic, operations] of topicOperations) {
    for (const { invoke, ok, from } of operations) {
      if (invoke.f === 'create-topic' && !firstCreation.has(topic)) firstCreation.set(topic, from);
      if (ok?.f !== 'create-topic') continue;
      const known = births.get(ok.incarnation);
      if (known !== undefined) {
        const detail = (): string => `incarnation ${ok.incarnation} was created twice`;
        report(found, 'nonlinearizable-metadata', topic, [known.op, invoke.op], detail);
      } else births.set(ok.incarnation, { topic, op: invoke.op, from });
    }
  }
  const check = (told: Told): void => checkTold(told, births, firstCreation, found);
  for (const { invoke, ok, to } of describes) {
    if (invoke.linearizable !== true) for (const { name, incarnation } of ok?.topics ?? []) check({ name, incarnation, op: invoke.op, to });
  }
  for (const { invoke, ok, to } of all.filter(isSend)) {
    if (ok?.incarnation !== undefined) check({ name: invoke.topic, incarnation: ok.incarnation, op: invoke.op, to });
  }
}

/** What an answer says of a topic. */
interface Told {
  readonly name: string;
  readonly incarnation: string;
  readonly op: number;
  /** Position of the answer. */
  readonly to: number;
}

function checkTold(
  { name, incarnation, op, to }: Told,
  births: ReadonlyMap<string, Birth>,
  firstCreation: ReadonlyMap<string, number>,
  found: Findings,
): void {
  const birth = births.get(incarnation);
  const from = birth?.from ?? firstCreation.get(name);
  // Nothing is known about topics that were there before the history began.
  if (from === undefined || (from < to && (birth === undefined || birth.topic === name))) return;
  const detail = (): string => `incarnation ${incarnation} was shown under this name before it was created, or belongs to another one`;
  report(found, 'nonlinearizable-metadata', name, [op], detail);
}
