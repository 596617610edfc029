/**
 * Ways to falsify a correct history of the model. Each returns whether it found something to
 * falsify; if it did, the history is wrong beyond doubt.
 */
import type { HistoryEvent, PollInvoke, PollOk, ReadRecord, SendInvoke, SendOk } from '@balsa/chaos/history/event.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? Mutable<E>[] : T[K] };

interface Answer {
  readonly invoke: PollInvoke;
  readonly ok: Mutable<PollOk>;
}

interface Facts {
  readonly events: HistoryEvent[];
  readonly answers: readonly Answer[];
  /** Answers of the final drain that hold records. */
  readonly drains: readonly Answer[];
  readonly acked: readonly { readonly invoke: SendInvoke; readonly ok: Mutable<SendOk> }[];
  /** Ids in the final drain. */
  readonly present: ReadonlySet<number>;
}

export type Corruption = (facts: Facts, n: number) => boolean;

/** Facts about a private copy of the history. */
export function factsOf(history: readonly HistoryEvent[]): Facts {
  const events = structuredClone(history) as HistoryEvent[];
  const invocations = new Map(events.flatMap((event) => (event.type === 'invoke' ? [[event.op, event] as const] : [])));
  const answers: Answer[] = [];
  const acked: { invoke: SendInvoke; ok: Mutable<SendOk> }[] = [];
  for (const event of events) {
    const invoke = invocations.get(event.op);
    if (event.type !== 'ok') continue;
    if (event.f === 'poll') answers.push({ invoke: invoke as PollInvoke, ok: event as Mutable<PollOk> });
    if (event.f === 'send') acked.push({ invoke: invoke as SendInvoke, ok: event as Mutable<SendOk> });
  }
  const drains = answers.filter(({ invoke, ok }) => invoke.source === 'drain' && ok.records.length > 0);
  const present = new Set(drains.flatMap(({ ok }) => ok.records.map(({ id }) => id)));
  return { events, answers, drains, acked, present };
}

const pick = <T>(list: readonly T[], n: number): T | undefined => list[n % list.length];
const isSameLog = (a: PollInvoke | SendInvoke, b: PollInvoke | SendInvoke) => a.topic === b.topic && a.partition === b.partition;
const isFinal = ({ invoke }: Answer) => invoke.source === 'drain' || invoke.source === 'replica';

/** Acknowledged sends of quorum that the final drain shows. */
const promised = ({ acked, present }: Facts) =>
  acked.filter(({ invoke }) => invoke.acks === 'quorum' && invoke.records.every(({ id }) => present.has(id)));

const hasOffsets = ({ ok }: { readonly ok: Mutable<SendOk> }): boolean => typeof ok.offsets?.[0] === 'number';

// Beyond every id of the model.
const unusedId = 1_000_000_000;

export const corruptions: Readonly<Record<string, Corruption>> = {
  'drop an acknowledged value from every read'(facts, n) {
    const send = pick(promised(facts), n);
    if (send === undefined) return false;
    const { id } = pick(send.invoke.records, n)!;
    for (const { ok } of facts.answers) ok.records = ok.records.filter((record) => record.id !== id);
    return true;
  },
  'drop it and close the gap'(facts, n) {
    const send = pick(promised(facts), n);
    if (send === undefined || !send.invoke.idempotent) return false;
    // Retention may have removed what has no known offset.
    if (send.invoke.topic === 'r' && !hasOffsets(send)) return false;
    const { id } = pick(send.invoke.records, n)!;
    const gone = facts.drains.flatMap(({ ok }) => ok.records.filter((record) => record.id === id))[0]!.offset;
    for (const { invoke, ok } of facts.answers) {
      if (!isSameLog(invoke, send.invoke)) continue;
      const rest = ok.records.filter((record) => record.id !== id);
      ok.records = rest.map((record) => (record.offset > gone ? { ...record, offset: record.offset - 1 } : record));
      if (ok.highWatermark !== undefined && ok.highWatermark > gone) ok.highWatermark -= 1;
    }
    return true;
  },
  'truncate the final log'(facts, n) {
    const send = pick(promised(facts), n);
    if (send === undefined || !hasOffsets(send)) return false;
    const end = send.ok.offsets![0]!;
    for (const answer of facts.answers.filter(isFinal)) {
      if (!isSameLog(answer.invoke, send.invoke) || answer.ok.highWatermark! <= end) continue;
      answer.ok.records = answer.ok.records.filter(({ offset }) => offset < end);
      answer.ok.highWatermark = end;
    }
    return true;
  },
  'swap two values of the final drain'(facts, n) {
    const answer = pick(
      facts.drains.filter(({ ok }) => ok.records.length > 1),
      n,
    );
    if (answer === undefined) return false;
    const at = n % (answer.ok.records.length - 1);
    const [a, b] = [answer.ok.records[at]!, answer.ok.records[at + 1]!];
    if (a.id === b.id) return false;
    answer.ok.records[at] = { ...b, offset: a.offset };
    answer.ok.records[at + 1] = { ...a, offset: b.offset };
    return true;
  },
  'a value once more at the end'(facts, n) {
    const answer = pick(
      facts.drains.filter(({ ok }) => ok.records.at(-1)!.offset === ok.highWatermark! - 1),
      n,
    );
    if (answer === undefined) return false;
    const record = pick(answer.ok.records, n)!;
    answer.ok.records.push({ ...record, offset: answer.ok.highWatermark! });
    answer.ok.highWatermark! += 1;
    return true;
  },
  'another fingerprint'(facts, n) {
    const record = pick(
      facts.drains.flatMap(({ ok }) => ok.records),
      n,
    );
    if (record === undefined) return false;
    (record as Mutable<ReadRecord>).fingerprint = (record.fingerprint ?? 0) + 1;
    return true;
  },
  'acknowledged offsets shifted'(facts, n) {
    const send = pick(
      promised(facts).filter((send) => send.invoke.idempotent && hasOffsets(send)),
      n,
    );
    if (send === undefined) return false;
    send.ok.offsets = send.ok.offsets!.map((offset) => offset! + 1);
    return true;
  },
  'an old end offset at the end'(facts, n) {
    const answer = pick(facts.drains, n);
    if (answer === undefined) return false;
    const { topic, partition } = answer.invoke;
    const last = facts.events.at(-1)!;
    const stamp = { op: unusedId, tNs: last.tNs + 1, process: 'late' };
    facts.events.push({ ...stamp, type: 'invoke', f: 'end-offset', topic, partition, source: 'drain' });
    facts.events.push({ ...stamp, type: 'ok', f: 'end-offset', offset: answer.ok.highWatermark! - 1 });
    return true;
  },
  'a value that nobody sent'(facts, n) {
    const record = pick(
      facts.drains.flatMap(({ ok }) => ok.records),
      n,
    );
    if (record === undefined) return false;
    (record as Mutable<ReadRecord>).id = unusedId;
    return true;
  },
  'a value that failed'(facts, n) {
    const send = pick(
      facts.acked.filter(({ invoke }) => facts.present.has(invoke.records[0]!.id)),
      n,
    );
    if (send === undefined) return false;
    Object.assign(send.ok, { type: 'fail' });
    return true;
  },
  'a value of another log'(facts, n) {
    const [a, b] = [pick(facts.drains, n), pick(facts.drains, n + 1)];
    if (a === undefined || b === undefined || isSameLog(a.invoke, b.invoke)) return false;
    (pick(a.ok.records, n) as Mutable<ReadRecord>).id = pick(b.ok.records, n)!.id;
    return true;
  },
  'a replica that lags at the end'(facts, n) {
    const last = facts.answers.filter(({ invoke }) => invoke.source === 'replica' && invoke.node === 1 + (n % 3));
    const answer = pick(
      last.filter(({ invoke, ok }) => isLastOf(last, invoke) && ok.records.length > 0),
      n,
    );
    if (answer === undefined) return false;
    const { topic, partition, node } = answer.invoke;
    // No pass of this node may have read the last record.
    for (const { invoke, ok } of last) {
      if (invoke.topic !== topic || invoke.partition !== partition || invoke.node !== node) continue;
      ok.records = ok.records.filter(({ offset }) => offset < answer.ok.highWatermark! - 1);
      ok.highWatermark = Math.min(ok.highWatermark!, answer.ok.highWatermark! - 1);
    }
    return true;
  },
  'a reader that skips'(facts, n) {
    const answer = pick(
      facts.answers.filter(({ ok, invoke }) => ok.records.length > 1 && invoke.topic === 't'),
      n,
    );
    if (answer === undefined) return false;
    answer.ok.records.shift();
    return true;
  },
  'a reader that repeats'(facts, n) {
    const answer = pick(
      facts.answers.filter(({ ok }) => ok.records.length > 0),
      n,
    );
    if (answer === undefined) return false;
    const at = n % answer.ok.records.length;
    answer.ok.records.splice(at, 0, answer.ok.records[at]!);
    return true;
  },
  'a log start that goes back'(facts, n) {
    const answer = pick(
      facts.answers.filter(({ invoke, ok }) => invoke.topic === 'r' && invoke.source === 'drain' && ok.logStart! > 0),
      n,
    );
    if (answer === undefined) return false;
    const { topic, partition } = answer.invoke;
    const stamp = { op: unusedId, tNs: facts.events.at(-1)!.tNs + 1, process: 'late' };
    facts.events.push({ ...stamp, type: 'invoke', f: 'start-offset', topic, partition });
    facts.events.push({ ...stamp, type: 'ok', f: 'start-offset', offset: answer.ok.logStart! - 1 });
    return true;
  },
  'a topic with an old incarnation'({ events }) {
    const deleted = events.some(({ type, f }) => type === 'ok' && f === 'delete-topic');
    if (!deleted) return false;
    const stamp = { op: unusedId, tNs: events.at(-1)!.tNs + 1, process: 'late' };
    events.push({ ...stamp, type: 'invoke', f: 'describe-topics', linearizable: true });
    events.push({ ...stamp, type: 'ok', f: 'describe-topics', topics: [{ name: 'd', incarnation: 'life-3' }] });
    return true;
  },
};

const isLastOf = (answers: readonly Answer[], invoke: PollInvoke): boolean =>
  answers.findLast((other) => isSameLog(other.invoke, invoke))?.invoke === invoke;
