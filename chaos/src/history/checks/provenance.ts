/**
 * Whether everything that was read comes from somewhere: sent, before it was read (I-S3), to
 * this partition in this life of the topic (I-S15), by a send that did not definitely fail
 * (I-S4). All acks classes are promised this. Each value counts once per poll.
 */
import type { Findings } from '../anomaly.ts';
import { report } from '../anomaly.ts';
import type { Values } from '../log-facts.ts';
import type { PollOperation } from '../operations.ts';
import type { TopicLife } from '../topic-lives.ts';

export interface ReadPlace {
  readonly poll: PollOperation;
  /** The life that was read; undefined if several are possible: then that of its first value which has one. */
  readonly life: TopicLife | undefined;
}

export function checkProvenance({ poll, life }: ReadPlace, values: Values, found: Findings): void {
  const { topic, partition, op } = poll.invoke;
  const subject = `${topic}/${partition}`;
  let lifeRead = life;
  for (const { id, offset } of poll.ok?.records ?? []) {
    const value = values.byId.get(id);
    if (value === undefined) {
      report(found, 'phantom-read', subject, [op], () => `value ${id} at offset ${offset} was never sent`);
      continue;
    }
    const { invoke, outcome, from } = value.send;
    const operations = [invoke.op, op];
    if (outcome === 'fail') {
      report(found, 'aborted-read', subject, operations, () => `value ${id} at offset ${offset}, whose send had no effect`);
    } else if (invoke.topic !== topic || invoke.partition !== partition) {
      report(found, 'phantom-read', subject, operations, () => `value ${id} was sent to ${invoke.topic}/${invoke.partition}`);
    } else if (from > poll.to) {
      report(found, 'phantom-read', subject, operations, () => `value ${id} was read before it was sent`);
    } else if (value.log !== undefined && value.log.life !== (lifeRead ??= value.log.life)) {
      report(found, 'resurrected-read', subject, operations, () => `value ${id} belongs to ${value.log?.name}`);
    }
  }
}
