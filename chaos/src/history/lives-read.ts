/**
 * Tells which life of its topic each read met: by time, or else by its values, or else by the
 * other reads of the same reader.
 *
 * A reader that met one life before a read and after it, and was not assigned anew, met the
 * same in between. Drains and reads of single replicas come when nothing changes any more: all
 * of one reader met the same life. An assignment asks nobody; it belongs to the poll behind it.
 */
import type { Value } from './log-facts.ts';
import type { AssignOperation, OffsetOperation, PollOperation } from './operations.ts';
import { isPoll } from './operations.ts';
import { livesMet, livesMetAtRest, type TopicLife } from './topic-lives.ts';

export type ReadOperation = PollOperation | AssignOperation | OffsetOperation;

export interface LifeFacts {
  readonly livesOf: (topic: string) => readonly TopicLife[];
  readonly values: ReadonlyMap<number, Value>;
}

type Lives = Map<ReadOperation, TopicLife>;

export interface LivesRead {
  /** What is missing here may have met several lives. */
  readonly lives: ReadonlyMap<ReadOperation, TopicLife>;
  /** The first read of each reader's assignment that met the life: it need not continue what was read before. */
  readonly beginnings: ReadonlySet<ReadOperation>;
}

/** `reads` in order of invocation. */
export function livesRead(reads: readonly ReadOperation[], facts: LifeFacts): LivesRead {
  const lives: Lives = new Map();
  const lifeOfValue = new Map<number, TopicLife>();
  for (const read of reads) {
    if (isAssignment(read)) continue;
    const life = lifeTold(read, facts, lifeOfValue);
    if (life === undefined) continue;
    lives.set(read, life);
    for (const { id } of recordsOf(read)) if (!lifeOfValue.has(id)) lifeOfValue.set(id, life);
  }
  const beginnings = new Set<ReadOperation>();
  for (const run of runsOf(reads)) {
    if (run.some((read) => !lives.has(read))) fillGaps(run, lives, facts);
    const placed = run.filter((read) => lives.has(read));
    for (const [, [first]] of Map.groupBy(placed, (read) => lives.get(read))) if (first !== undefined) beginnings.add(first);
  }
  return { lives, beginnings };
}

/** Reads of one reader from one assignment to the next. */
function runsOf(reads: readonly ReadOperation[]): Iterable<readonly ReadOperation[]> {
  const turns = new Map<string, number>();
  const runs = Map.groupBy(reads, (read) => {
    const { process, topic, partition } = read.invoke;
    const reader = `${process}/${topic}/${partition}`;
    const turn = (turns.get(reader) ?? 0) + (isAssignment(read) ? 1 : 0);
    turns.set(reader, turn);
    return `${reader}/${turn}`;
  });
  return runs.values();
}

const isAssignment = ({ invoke }: ReadOperation): boolean => invoke.f === 'assign' || invoke.f === 'seek';
const recordsOf = (read: ReadOperation) => (isPoll(read) ? (read.ok?.records ?? []) : []);

function met(read: ReadOperation, { livesOf }: LifeFacts): readonly TopicLife[] {
  const lives = livesOf(read.invoke.topic);
  return isAtRest(read) ? livesMetAtRest(lives, read) : livesMet(lives, read);
}

const isAtRest = ({ invoke }: ReadOperation): boolean => 'source' in invoke && invoke.source !== undefined && invoke.source !== 'client';

function lifeTold(read: ReadOperation, facts: LifeFacts, lifeOfValue: ReadonlyMap<number, TopicLife>): TopicLife | undefined {
  const possible = met(read, facts);
  if (possible.length <= 1) return possible[0];
  const told = new Set(recordsOf(read).flatMap(({ id }) => facts.values.get(id)?.log?.life ?? lifeOfValue.get(id) ?? []));
  const [only, ...rest] = told;
  return only !== undefined && rest.length === 0 && possible.includes(only) ? only : undefined;
}

function fillGaps(run: readonly ReadOperation[], lives: Lives, facts: LifeFacts): void {
  const known = run.map((read) => lives.get(read));
  const [only, ...others] = new Set(known.filter((life) => life !== undefined));
  const before = carried(known);
  const after = carried(known.toReversed()).toReversed();
  for (const [place, read] of run.entries()) {
    if (known[place] !== undefined || isAssignment(read)) continue;
    const atRest = isAtRest(read) && others.length === 0 ? only : undefined;
    const between = before[place] === after[place] ? before[place] : undefined;
    const life = atRest ?? between;
    if (life !== undefined && met(read, facts).includes(life)) lives.set(read, life);
  }
  const [first, next] = run;
  const life = next === undefined ? undefined : lives.get(next);
  if (first !== undefined && isAssignment(first) && life !== undefined) lives.set(first, life);
}

/** At each place the last one that is known there or before. */
function carried(known: readonly (TopicLife | undefined)[]): (TopicLife | undefined)[] {
  let last: TopicLife | undefined;
  return known.map((life) => (last = life ?? last));
}
