/**
 * The end of a run: every fault ends, everything converges within bounded time and is read
 * again by a new client; then the model judges what was read and, on its own, the checker of
 * histories.
 */
import { checkHistory } from '@balsa/chaos/history/check-history.ts';
import { asGroupId } from '@balsa/node/core/ids.ts';
import { require, SimFailure } from '../../sim/checks/sim-failure.ts';
import { drainAll } from '../../sim/workload/drain.ts';
import { createWorker } from '../../sim/workload/worker.ts';
import { healAll } from './commands/network.ts';
import { losePowerTogether, runAll } from './commands/processes.ts';
import { batchBytesMax, deliveryTimeoutMs, send } from './commands/produce.ts';
import { copiesMax, describeValue, learnPosition, learnStart, nameOf } from './learn.ts';
import { type Log, type Model, pendingOf, type Place, placeName } from './model.ts';
import { endsWithin, type Real, throwFailure } from './real.ts';

const serveMs = 10_000;
const drainMs = 30_000;
const closeMs = 5000;
/** A few rounds of retention. */
const retentionMs = 2500;

export async function finish(model: Model, real: Real): Promise<void> {
  healAll(model, real);
  await runAll(model, real);
  await real.clock.until('all sends end', () => pendingOf(model) === 0, deliveryTimeoutMs * 2);
  throwFailure(real);
  for (const log of model.logs.values()) await servesAgain(model, real, log);
  for (const log of model.logs.values()) countMoves(real, log);
  if (model.logs.get('logs/0')?.keepBytes !== undefined) await real.clock.advance(retentionMs);
  if (real.setup.powerLossAtEnd) await losePowerTogether(model, real);
  const closing = Promise.all([real.writer.close(), real.reader.close(), real.admin.close()]);
  await endsWithin(real, 'clients close', closing, closeMs);
  const drained = await drain(real);
  throwFailure(real);
  judgeTopics(model, drained);
  for (const log of model.logs.values()) judgeLog(model, real, log, drained.get(placeName(log)));
  judgeHistory(real);
}

/** The producer that was there all the time gets a record through. */
async function servesAgain(model: Model, real: Real, log: Log): Promise<void> {
  const endMs = real.clock.monotonicMs() + serveMs;
  const options = { ...placeOf(log), acks: 'quorum', idempotent: true, records: 1, paddingBytes: 0, wait: 'answer' } as const;
  for (;;) {
    const { values, settled } = send(model, real, log, options);
    await endsWithin(real, `a last send to ${nameOf(log)}`, settled, deliveryTimeoutMs * 2);
    if (values.every(({ fate }) => fate === 'acked')) return;
    require(real.clock.monotonicMs() < endMs, 'a healed cluster serves', () => ({ log: nameOf(log), values: values.map(describeValue) }));
  }
}

/** Whom the partition has got since it was founded, and whom it has lost. */
function countMoves({ world, took }: Real, { group, founders }: Log): void {
  const statuses = world.nodes.map(({ life }) => life?.host.status(asGroupId(group)));
  const members = statuses.find((status) => status?.role === 'leader')?.membership.voters.map(Number) ?? founders;
  if (members.some((node) => !founders.includes(node))) took('member added');
  if (founders.some((node) => !members.includes(node))) took('member removed');
}

const placeOf = ({ topic, partition }: Log): Place => ({ topic, partition });

interface Drained {
  readonly place: Place;
  readonly logStart: number;
  readonly end: number;
  readonly ids: readonly number[];
}

/** Everything that a new client reads, by place. */
async function drain(real: Real): Promise<ReadonlyMap<string, Drained>> {
  const { recorder, run } = real;
  const worker = createWorker(run.crew, 'drain');
  const before = recorder.events.length;
  const reading = worker.client.connect().then(async (balsa) => {
    await drainAll(worker, balsa);
    await balsa.close();
  });
  await endsWithin(real, 'everything is read', reading, drainMs).catch((error: unknown) => {
    throw new SimFailure('a healed cluster serves', `the last read: ${error instanceof Error ? error.stack : String(error)}`);
  });
  const polls = new Map<number, Place>();
  const drained = new Map<string, Drained>();
  for (const event of recorder.events.slice(before)) {
    if (event.f !== 'poll') continue;
    if (event.type === 'invoke') polls.set(event.op, { topic: event.topic, partition: event.partition });
    const place = polls.get(event.op);
    if (event.type !== 'ok' || place === undefined) continue;
    const { logStart = 0, highWatermark: end = 0 } = event;
    const ids = [...(drained.get(placeName(place))?.ids ?? []), ...event.records.map(({ id }) => id)];
    drained.set(placeName(place), { place, logStart, end, ids });
  }
  return drained;
}

/** Topics are there or not, as the calls said. */
function judgeTopics(model: Model, drained: ReadonlyMap<string, Drained>): void {
  for (const [name, log] of model.logs)
    require(drained.has(name) || (log.topic === 'jobs' && model.jobs === 'murky'), 'topics stay', () => ({ name }));
  const jobs = drained.get('jobs/0');
  require(jobs === undefined || model.jobs !== 'absent', 'deleted topics are gone', () => ({ jobs }));
}

function judgeLog(model: Model, { took }: Real, log: Log, drained: Drained | undefined): void {
  if (drained === undefined) return;
  const { logStart, end, ids } = drained;
  const name = nameOf(log);
  learnStart(log, logStart);
  require(ids.length === end - logStart, 'offsets are contiguous', () => ({ name, logStart, end, records: ids.length }));
  require(end >= log.end, 'an end does not go back', () => ({ name, end, known: log.end }));
  ids.forEach((id, place) => learnPosition(model, log, logStart + place, id));
  for (const [offset, id] of log.known)
    require(offset < logStart || ids[offset - logStart] === id, 'what was acknowledged or read stays', () => ({
      name,
      offset,
      id,
      drained,
    }));
  const positions = new Map(ids.map((id, place) => [id, logStart + place]));
  const lastOf = new Map<string, number>();
  for (const value of model.values.values()) {
    if (value.log !== log) continue;
    const position = positions.get(value.id);
    const isThere = position !== undefined || logStart > 0;
    require(value.fate !== 'acked' || isThere, 'acknowledged values are there', () => describeValue(value));
    require(value.fate !== 'pending', 'every send ends', () => describeValue(value));
    if (value.fate === 'unknown') took(position === undefined ? 'unknown, absent' : 'unknown, present');
    if (value.offsets.size > 1) took('several copies');
    require(value.offsets.size <= copiesMax(value), 'no more copies than attempts', () => describeValue(value));
    if (position === undefined || !value.idempotent) continue;
    const before = lastOf.get(value.session) ?? -1;
    require(position > before, 'the order of a producer is kept', () => ({ position, before, ...describeValue(value) }));
    lastOf.set(value.session, position);
  }
  judgeRetention(model, log, drained, took);
}

/** A batch has this many bytes of its own, a record not more than that besides its value. */
const overheadBytes = 61 + 30;

function judgeRetention({ values }: Model, log: Log, { logStart, ids }: Drained, took: Real['took']): void {
  const sizes = ids.map((id) => values.get(id)?.bytes ?? 0);
  const leastBytes = sizes.reduce((sum, bytes) => sum + bytes, 0);
  const mostBytes = leastBytes + sizes.length * overheadBytes;
  const facts = (): unknown => ({ log: nameOf(log), logStart, leastBytes, mostBytes, keep: log.keepBytes, keepMin: log.keepBytesMin });
  if (logStart > 0) {
    took('records removed by retention');
    require(mostBytes + batchBytesMax >= (log.keepBytesMin ?? Infinity), 'retention removes no more than it must', facts);
  }
  require(log.keepBytes === undefined || leastBytes <= log.keepBytes, 'retention removes what it must', facts);
}

function judgeHistory({ recorder }: Real): void {
  const verdict = checkHistory(recorder.events);
  if (verdict.outcome === 'pass') return;
  const [first] = verdict.findings;
  const operations = recorder.events.filter(({ op }) => first?.operations.includes(op) === true);
  const lines = operations.map((event) => JSON.stringify(event)).join('\n');
  throw new SimFailure(
    `history: ${first?.anomaly ?? verdict.outcome}`,
    `${JSON.stringify(verdict.findings.slice(0, 3), undefined, 1)}\n${lines}`,
  );
}
