/** A replica's log in the specification: which term each index has, as runs. */
export interface Log {
  /** Last index that a snapshot sums up (inclusive), and its term. */
  start: number;
  startTerm: number;
  /** Last index (inclusive); equals start if the log is empty. */
  last: number;
  /** Ascending; entries from `first` up to the next run have `term`. Covers (start, last]. */
  runs: { readonly first: number; readonly term: number }[];
}

export const emptyLog = (start: number, startTerm: number): Log => ({ start, startTerm, last: start, runs: [] });
export const copyLog = (log: Log): Log => ({ ...log, runs: [...log.runs] });
export const lastTermOf = (log: Log): number => log.runs.at(-1)?.term ?? log.startTerm;

export function termAt(log: Log, index: number): number | undefined {
  if (index === log.start) return log.startTerm;
  if (index < log.start || index > log.last) return undefined;
  for (let run = log.runs.length - 1; run >= 0; run--) {
    if (log.runs[run]!.first <= index) return log.runs[run]!.term;
  }
  return undefined;
}

export function extend(log: Log, term: number): void {
  log.last += 1;
  if (log.runs.length === 0 || lastTermOf(log) !== term) log.runs.push({ first: log.last, term });
}

export function cutAfter(log: Log, last: number): void {
  log.last = last;
  while ((log.runs.at(-1)?.first ?? 0) > last) log.runs.pop();
}

export function compactTo(log: Log, index: number): void {
  const term = termAt(log, index)!;
  const rest = log.runs.filter(({ first }, i) => first > index || (log.runs[i + 1]?.first ?? log.last + 1) > index + 1);
  log.runs = rest.map((run) => (run.first <= index ? { first: index + 1, term: run.term } : run));
  log.start = index;
  log.startTerm = term;
}
