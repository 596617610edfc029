/**
 * Judges a history of keyed records by per-key sequence numbers. Pure, so that the judge
 * itself is tested with histories that are known to be bad.
 *
 * Every key was sent with the sequence numbers 0, 1, 2 ... in this order, each at most
 * once by the application. The promises that are checked:
 *  - lost: a record was acknowledged and is not in the log;
 *  - duplicated: a record is in the log more often than once (each extra copy counts);
 *  - reordered: a record stands behind one of its key with a higher number, or in another
 *    partition than the key's first record;
 *  - phantom: a record is in the log that was never sent, or whose send definitely failed.
 * A record whose fate is unknown (its send failed with effect 'unknown') may be there or not.
 */
export type Fate = 'acked' | 'unknown' | 'refused';

export interface SentRecord {
  readonly key: string;
  readonly sequence: number;
  readonly fate: Fate;
}

/** A record as read back; within one partition in the order of offsets. */
export interface ReadRecord {
  readonly partition: number;
  readonly key: string;
  readonly sequence: number;
}

export interface Finding {
  readonly kind: 'lost' | 'duplicated' | 'reordered' | 'phantom';
  readonly key: string;
  readonly sequence: number;
}

export interface Verdict {
  readonly sent: number;
  readonly acked: number;
  readonly unknown: number;
  readonly read: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly phantom: number;
  /** The first findings, at most `findingsMax`. */
  readonly findings: readonly Finding[];
}

const findingsMax = 20;

/** What is known about one key while its records are read. */
interface KeyState {
  readonly fates: Map<number, Fate>;
  readonly copies: Map<number, number>;
  partition: number | undefined;
  highest: number;
}

export function checkPerKey(sent: Iterable<SentRecord>, read: Iterable<ReadRecord>): Verdict {
  const keys = new Map<string, KeyState>();
  const counts = { sent: 0, acked: 0, unknown: 0, read: 0, lost: 0, duplicated: 0, reordered: 0, phantom: 0 };
  const findings: Finding[] = [];
  const report = (kind: Finding['kind'], key: string, sequence: number): void => {
    counts[kind] += 1;
    if (findings.length < findingsMax) findings.push({ kind, key, sequence });
  };

  for (const { key, sequence, fate } of sent) {
    stateOf(keys, key).fates.set(sequence, fate);
    counts.sent += 1;
    if (fate === 'acked') counts.acked += 1;
    if (fate === 'unknown') counts.unknown += 1;
  }
  for (const record of read) {
    counts.read += 1;
    judge(stateOf(keys, record.key), record, report);
  }
  for (const [key, state] of keys) {
    for (const [sequence, fate] of state.fates) if (fate === 'acked' && !state.copies.has(sequence)) report('lost', key, sequence);
  }
  return { ...counts, findings };
}

export function isClean(verdict: Verdict): boolean {
  return verdict.lost + verdict.duplicated + verdict.reordered + verdict.phantom === 0;
}

function stateOf(keys: Map<string, KeyState>, key: string): KeyState {
  let state = keys.get(key);
  if (state === undefined) {
    state = { fates: new Map(), copies: new Map(), partition: undefined, highest: -1 };
    keys.set(key, state);
  }
  return state;
}

/** One record that was read. A copy counts once, as duplicated, wherever it stands. */
function judge(
  state: KeyState,
  { partition, key, sequence }: ReadRecord,
  report: (kind: Finding['kind'], key: string, sequence: number) => void,
): void {
  const copies = (state.copies.get(sequence) ?? 0) + 1;
  state.copies.set(sequence, copies);
  state.partition ??= partition;
  const fate = state.fates.get(sequence);
  if (fate === undefined || fate === 'refused') report('phantom', key, sequence);
  else if (copies > 1) report('duplicated', key, sequence);
  else if (sequence < state.highest || partition !== state.partition) report('reordered', key, sequence);
  state.highest = Math.max(state.highest, sequence);
}
