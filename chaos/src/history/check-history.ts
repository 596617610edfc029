/**
 * Judges a history of client operations (event.ts). Pure, and O(n log n): the offsets of a log
 * are its order, so nothing has to be searched but the few operations on topics.
 *
 * The promises, by class of send:
 *  - `quorum`, ok: in the log for ever, at the acknowledged offset, behind everything
 *    acknowledged or read before it was sent, until retention or a deletion removes it;
 *  - `leader` and `none`, ok, and every `info`: present or absent, when a leader changes also
 *    after an acknowledgement; but once read it is committed and stays;
 *  - `fail`: absent;
 *  - idempotent, any acks: never twice, and in the order of the session as far as present;
 *  - without idempotence: at most one copy per attempt;
 *  - everything present, whatever its class: one value per offset, unchanged, contiguous
 *    offsets from 0, batches whole, never in another partition or another life of the topic.
 *
 * Which check makes which promise precise is said in the headers of `checks/`. Not judged are
 * consumer groups, and operations that may have met several lives of their topic (`unplaced`;
 * vacuity.ts bounds their share).
 */
import type { Anomaly, Finding } from './anomaly.ts';
import { createFindings, undecidedAnomalies } from './anomaly.ts';
import { checkAgreement, checkDuplicates } from './checks/agreement.ts';
import { checkBatches } from './checks/batches.ts';
import { checkBounds } from './checks/bounds.ts';
import { checkContiguity, checkUnplacedPoll } from './checks/contiguity.ts';
import { checkDurability } from './checks/durability.ts';
import { sweep } from './checks/known-before.ts';
import { checkMetadata } from './checks/metadata.ts';
import type { ReadPlace } from './checks/provenance.ts';
import { checkProvenance } from './checks/provenance.ts';
import { checkRealTime } from './checks/real-time.ts';
import { checkSessionOrder } from './checks/session-order.ts';
import { drainsOf } from './drain.ts';
import type { HistoryEvent, Kind } from './event.ts';
import { kinds } from './event.ts';
import type { History } from './gather.ts';
import { gather } from './gather.ts';
import type { Value } from './log-facts.ts';
import type { PairingOptions } from './operations.ts';
import { isPoll, pairOperations } from './operations.ts';
import { createAgeGauge, gaugeAge, redeliveries } from './staleness.ts';

export interface CheckOptions extends PairingOptions {
  /** Whether retention may remove records of topics whose creation does not say it. Default: false. */
  readonly retention?: boolean;
}

export interface OutcomeCounts {
  ok: number;
  fail: number;
  info: number;
}

/** What the history consists of: what a verdict rests on. */
export interface Figures {
  readonly operations: Readonly<Record<Kind, Readonly<OutcomeCounts>>>;
  readonly logs: number;
  /** Logs with a complete final drain; of those that never were deleted. */
  readonly livingLogs: number;
  readonly drainedLogs: number;
  /** The smallest number of replicas that were read, over all living logs. */
  readonly replicasReadMin: number;
  /** Operations that may have met several lives of their topic. */
  readonly unplaced: number;
  /** Acknowledged values that retention may have removed before anybody read them. */
  readonly unjudged: number;
  readonly values: number;
  readonly recordsRead: number;
  readonly redeliveries: number;
  readonly staleNsMax: number;
  /** Error codes of operations of unknown outcome, with their numbers. */
  readonly infoErrors: Readonly<Record<string, number>>;
}

export interface Verdict {
  /** 'unknown' is no pass: the history cannot be judged. */
  readonly outcome: 'pass' | 'fail' | 'unknown';
  readonly counts: Readonly<Record<Anomaly, number>>;
  readonly findings: readonly Finding[];
  readonly figures: Figures;
}

export function checkHistory(events: Iterable<HistoryEvent>, options: CheckOptions = {}): Verdict {
  const found = createFindings();
  const history = gather(pairOperations(events, found, options), found, options.retention ?? false);
  checkDuplicates(history.values, found);
  for (const place of readPlaces(history)) checkProvenance(place, history.values, found);
  for (const operation of history.unplaced) if (isPoll(operation)) checkUnplacedPoll(operation, found);
  checkMetadata(history, found);
  const valuesByLog = Map.groupBy(history.values.byId.values(), ({ log }) => log);
  const figures = { livingLogs: 0, drainedLogs: 0, replicasReadMin: Infinity, unjudged: 0, staleNsMax: 0 };
  for (const log of history.logs) {
    const drains = drainsOf(log);
    const values: readonly Value[] = valuesByLog.get(log) ?? [];
    checkAgreement(log, history.values, found);
    figures.unjudged += checkDurability(log, values, drains, found);
    checkContiguity(log, found);
    checkSessionOrder(log, history.values, found);
    checkBatches(log, history.values, drains.final, found);
    const gauge = createAgeGauge();
    sweep(log, history.values, (operation, known) => {
      checkRealTime(log, operation, known, history.values, found);
      gaugeAge(gauge, operation, known);
    });
    checkBounds(log, found);
    figures.staleNsMax = Math.max(figures.staleNsMax, gauge.staleNsMax);
    if (log.life.deletableFrom !== Infinity) continue;
    figures.livingLogs += 1;
    if (drains.final !== undefined) figures.drainedLogs += 1;
    const nodes = new Set(drains.passes.flatMap(({ node }) => node ?? []));
    figures.replicasReadMin = Math.min(figures.replicasReadMin, nodes.size);
  }
  if (figures.livingLogs === 0) figures.replicasReadMin = 0;
  return { outcome: outcomeOf(found.counts), counts: found.counts, findings: found.list, figures: { ...countAll(history), ...figures } };
}

function outcomeOf(counts: Readonly<Record<Anomaly, number>>): Verdict['outcome'] {
  const present = (Object.keys(counts) as Anomaly[]).filter((anomaly) => counts[anomaly] > 0);
  if (present.length === 0) return 'pass';
  return present.every((anomaly) => undecidedAnomalies.includes(anomaly)) ? 'unknown' : 'fail';
}

/** All polls that told something, also those whose life of the topic is unknown. */
function* readPlaces({ unplaced, logs }: History): Generator<ReadPlace> {
  for (const { reads, life } of logs) for (const read of reads) if (isPoll(read)) yield { poll: read, life };
  for (const operation of unplaced) if (isPoll(operation)) yield { poll: operation, life: undefined };
}

function countAll(history: History): Omit<Figures, 'livingLogs' | 'drainedLogs' | 'replicasReadMin' | 'unjudged' | 'staleNsMax'> {
  const operations = Object.fromEntries(kinds.map((kind) => [kind, { ok: 0, fail: 0, info: 0 }])) as Record<Kind, OutcomeCounts>;
  const infoErrors = new Map<string, number>();
  for (const { invoke, outcome, notOk } of history.operations) {
    operations[invoke.f][outcome] += 1;
    if (outcome !== 'info') continue;
    const error = notOk?.error ?? 'unanswered';
    infoErrors.set(error, (infoErrors.get(error) ?? 0) + 1);
  }
  return {
    operations,
    logs: history.logs.length,
    unplaced: history.unplaced.length,
    values: history.values.byId.size,
    recordsRead: history.polls.reduce((sum, { ok }) => sum + (ok?.records.length ?? 0), 0),
    redeliveries: redeliveries(history.polls),
    infoErrors: Object.fromEntries(infoErrors),
  };
}
