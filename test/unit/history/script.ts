/** Writes small histories by hand: one line per operation, defaults for all that does not matter. */
import { expect } from 'vitest';
import type { Anomaly } from '@balsa/chaos/history/anomaly.ts';
import type { CheckOptions, Verdict } from '@balsa/chaos/history/check-history.ts';
import { checkHistory } from '@balsa/chaos/history/check-history.ts';
import type { Acks, DescribedTopic, HistoryEvent, ReadRecord, Source } from '@balsa/chaos/history/event.ts';
import type { Ending } from '@balsa/chaos/history/recorder.ts';
import { createHistory } from '@balsa/chaos/history/recorder.ts';

export interface SendExtra {
  readonly session?: string;
  readonly process?: string;
  readonly acks?: Acks;
  readonly idempotent?: boolean;
  readonly topic?: string;
  readonly partition?: number;
  readonly fingerprints?: readonly number[];
}

export interface PollExtra {
  readonly source?: Source;
  readonly node?: number;
  readonly topic?: string;
  readonly partition?: number;
  readonly highWatermark?: number;
  readonly logStart?: number;
}

export type Script = ReturnType<typeof script>;
/** [offset, value] or [offset, value, fingerprint]. */
export type Pairs = readonly (readonly [number, number] | readonly [number, number, number])[];

export function script() {
  let now = 0;
  const history = createHistory(() => (now += 1000));
  const place = ({ topic = 't', partition = 0 }: { readonly topic?: string; readonly partition?: number }) => ({ topic, partition });
  const defined = (value: Record<string, unknown>) => Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined));
  const complete = (op: number, ending: Record<string, unknown>): number => {
    history.complete(op, defined(ending) as Ending);
    return op;
  };
  const events = (): HistoryEvent[] => [...history];
  const invoke = history.invoke.bind(history);

  const send = (ids: readonly number[], extra: SendExtra = {}): number => {
    const { session = 's', process = `producer-${session}`, acks = 'quorum', idempotent = true, fingerprints } = extra;
    const records = ids.map((id, index) => ({ id, ...(fingerprints === undefined ? {} : { fingerprint: fingerprints[index]! }) }));
    return invoke({ f: 'send', process, session, acks, idempotent, records, ...place(extra) });
  };
  const ack = (op: number, offsets?: readonly (number | null)[], facts: Record<string, unknown> = {}) =>
    complete(op, { type: 'ok', offsets, ...facts });
  const fail = (op: number, error = 'NOT_LEADER') => complete(op, { type: 'fail', error });
  const info = (op: number, facts: Record<string, unknown> = {}) => complete(op, { type: 'info', error: 'TIMEOUT', ...facts });
  /** An acknowledged batch at consecutive offsets. */
  const sent = (ids: readonly number[], base: number, extra: SendExtra = {}) => {
    const offsets = ids.map((_, index) => base + index);
    return ack(send(ids, extra), offsets, { batches: [ids.length] });
  };

  const poll = (process: string, { source, node, ...extra }: PollExtra = {}) =>
    invoke({
      f: 'poll',
      process,
      ...(source === undefined ? {} : { source }),
      ...(node === undefined ? {} : { node }),
      ...place(extra),
    });
  const answer = (op: number, pairs: Pairs, { highWatermark, logStart }: PollExtra = {}) => {
    const records = pairs.map(([offset, id, fingerprint]) => defined({ offset, id, fingerprint }) as unknown as ReadRecord);
    return complete(op, { type: 'ok', records, highWatermark, logStart });
  };
  const polled = (process: string, pairs: Pairs, extra: PollExtra = {}) => answer(poll(process, extra), pairs, extra);
  const assigned = (process: string, offset: number, extra: PollExtra = {}) =>
    complete(invoke({ f: 'assign', process, offset, ...place(extra) }), { type: 'ok' });
  const bound = (f: 'end-offset' | 'start-offset', offset: number, { source, node, ...extra }: PollExtra = {}) => {
    const op = invoke({ f, process: `${f}-${now}`, ...defined({ source, node }), ...place(extra) });
    return complete(op, { type: 'ok', offset });
  };
  /** A fresh client reads everything from `from` on; the values are those from there on, without gaps. */
  const drained = (ids: readonly number[], extra: PollExtra & { readonly from?: number } = {}) => {
    const { from = 0, source = 'drain' } = extra;
    const process = `drain-${now}`;
    assigned(process, from, extra);
    const pairs = ids.map((id, index) => [from + index, id] as const);
    return polled(process, pairs, { highWatermark: from + ids.length, ...extra, source });
  };
  const replica = (node: number, ids: readonly number[], extra: PollExtra & { readonly from?: number } = {}) =>
    drained(ids, { ...extra, source: 'replica', node });

  const create = (topic: string, retention?: boolean) =>
    invoke({ f: 'create-topic', process: `admin-${now}`, topic, ...(retention === undefined ? {} : { retention }) });
  const created = (topic: string, incarnation: string, retention?: boolean) =>
    complete(create(topic, retention), { type: 'ok', incarnation });
  const remove = (topic: string) => invoke({ f: 'delete-topic', process: `admin-${now}`, topic });
  const removed = (topic: string) => complete(remove(topic), { type: 'ok' });
  const describeTopics = (linearizable = true) => invoke({ f: 'describe-topics', process: `admin-${now}`, linearizable });
  const described = (topics: readonly DescribedTopic[], linearizable = true) =>
    complete(describeTopics(linearizable), { type: 'ok', topics });
  const done = (op: number, result: Record<string, unknown> = {}) => complete(op, { type: 'ok', ...result });

  const wait = (ns: number): void => {
    now += ns;
  };
  return {
    send,
    ack,
    fail,
    info,
    sent,
    poll,
    answer,
    polled,
    assigned,
    bound,
    drained,
    replica,
    create,
    created,
    remove,
    removed,
    describeTopics,
    described,
    done,
    wait,
    invoke,
    events,
  };
}

/** What was found, by name. */
export function anomaliesOf({ counts }: Verdict): readonly Anomaly[] {
  return (Object.keys(counts) as Anomaly[]).filter((anomaly) => counts[anomaly] > 0);
}

export interface Case {
  readonly name: string;
  readonly write: (h: Script) => void;
  readonly options?: CheckOptions;
}

export interface BadCase extends Case {
  /** Anomalies that the same corruption cannot avoid. */
  readonly also?: readonly Anomaly[];
  readonly count?: number;
}

export function judge({ write, options }: Case): Verdict {
  const h = script();
  write(h);
  return checkHistory(h.events(), options);
}

/** Exactly the expected anomalies, the named one with its exact count. */
export function expectAnomaly(anomaly: Anomaly, bad: BadCase): void {
  const verdict = judge(bad);
  expect(anomaliesOf(verdict).toSorted()).toEqual([anomaly, ...(bad.also ?? [])].toSorted());
  if (bad.count !== undefined) expect(verdict.counts[anomaly]).toBe(bad.count);
  expect(verdict.outcome).not.toBe('pass');
  const finding = verdict.findings.find((found) => found.anomaly === anomaly);
  expect(finding?.detail).not.toBe('');
}

export function expectPass(good: Case): void {
  const verdict = judge(good);
  expect(verdict.findings).toEqual([]);
  expect(verdict.outcome).toBe('pass');
}
