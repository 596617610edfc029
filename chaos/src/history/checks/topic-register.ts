/**
 * Searches for an order of the operations on one topic name that explains every answer and
 * respects real time: linearizability of a register that holds an incarnation or nothing.
 *
 * The search keeps all configurations (state, operations under way that already took effect)
 * that explain what completed so far. A completion keeps those in which its operation took
 * effect, in any order with others under way. Operations of unknown outcome may take effect
 * at any time from their invocation on, or never; creations among them are alike, and so are
 * deletions, so a configuration only counts how many it used. Few others overlap, so there
 * are few configurations; beyond `configurationsMax` the search gives up, which is no pass.
 */
import type { DescribeOperation, TopicOperation } from '../operations.ts';

export const configurationsMax = 5000;

export type RegisterOperation = TopicOperation | DescribeOperation;
export type RegisterVerdict = { readonly kind: 'explained' | 'undecided' } | { readonly kind: 'unexplained'; readonly op: number };

/** No topic; an incarnation; or one that a creation of unknown outcome made, and nobody was told. */
type State = { readonly kind: 'absent' | 'made' } | { readonly kind: 'named'; readonly incarnation: string };

interface Uncertain {
  readonly creations: number;
  readonly deletions: number;
}

interface Configuration {
  readonly state: State;
  /** Operations under way that took effect, ascending. */
  readonly done: readonly number[];
  /** Operations of unknown outcome that took effect. */
  readonly used: Uncertain;
}

interface Search {
  readonly topic: string;
  /** Operations under way whose outcome is known in the end. */
  readonly open: Map<number, RegisterOperation>;
  /** Operations of unknown outcome invoked so far. */
  readonly uncertain: { creations: number; deletions: number };
  /** Incarnations that an acknowledged creation told: no other creation can have made them. */
  readonly told: ReadonlySet<string>;
  configurations: readonly Configuration[];
}

const absent: State = { kind: 'absent' };

export function explainTopic(topic: string, operations: readonly RegisterOperation[]): RegisterVerdict {
  const told = new Set(
    operations.flatMap(({ invoke, ok }) => (invoke.f === 'create-topic' && ok?.f === 'create-topic' ? ok.incarnation : [])),
  );
  const start: Configuration = { state: absent, done: [], used: { creations: 0, deletions: 0 } };
  const search: Search = { topic, told, open: new Map(), uncertain: { creations: 0, deletions: 0 }, configurations: [start] };
  for (const { operation, ends } of stepsOf(operations)) {
    const { op, f } = operation.invoke;
    if (!ends && operation.outcome !== 'info') search.open.set(op, operation);
    else if (!ends) search.uncertain[f === 'create-topic' ? 'creations' : 'deletions'] += 1;
    else {
      if (!complete(search, op)) return { kind: 'undecided' };
      if (search.configurations.length === 0) return { kind: 'unexplained', op };
      search.open.delete(op);
    }
  }
  return { kind: 'explained' };
}

/** Invocations and completions in real-time order. */
function stepsOf(operations: readonly RegisterOperation[]) {
  const steps = operations.flatMap((operation) => [
    { at: operation.from, operation, ends: false },
    ...(operation.to === Infinity ? [] : [{ at: operation.to, operation, ends: true }]),
  ]);
  return steps.sort((a, b) => a.at - b.at);
}

/** Keeps what explains the completion of `op`; false if that is too much. */
function complete(search: Search, op: number): boolean {
  const kept = new Map<string, Configuration>();
  const seen = new Set<string>();
  const pending = [...search.configurations];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const key = keyOf(next);
    if (seen.has(key)) continue;
    seen.add(key);
    if (seen.size > configurationsMax) return false;
    if (next.done.includes(op)) {
      const rest = { ...next, done: next.done.filter((other) => other !== op) };
      kept.set(keyOf(rest), rest);
    } else pending.push(...successors(search, next));
  }
  search.configurations = [...kept.values()];
  return true;
}

const keyOf = ({ state, done, used }: Configuration): string => JSON.stringify([state, done, used]);

/** The configurations after one more operation took effect. */
function* successors({ open, uncertain, told, topic }: Search, { state, done, used }: Configuration): Generator<Configuration> {
  for (const [op, operation] of open) {
    if (done.includes(op)) continue;
    const after = apply(state, operation, told, topic);
    if (after !== undefined) yield { state: after, done: [...done, op].sort((a, b) => a - b), used };
  }
  // Without an effect they need not be used.
  if (state.kind === 'absent' && used.creations < uncertain.creations) {
    yield { state: { kind: 'made' }, done, used: { ...used, creations: used.creations + 1 } };
  }
  if (state.kind !== 'absent' && used.deletions < uncertain.deletions) {
    yield { state: absent, done, used: { ...used, deletions: used.deletions + 1 } };
  }
}

/** The state after the operation took effect with the answer that it got; undefined if it cannot have got it. */
function apply(state: State, { invoke, outcome, ok }: RegisterOperation, told: ReadonlySet<string>, topic: string): State | undefined {
  const exists = state.kind !== 'absent';
  switch (invoke.f) {
    case 'create-topic':
      if (outcome === 'fail') return exists ? state : undefined;
      return exists || ok?.f !== 'create-topic' ? undefined : { kind: 'named', incarnation: ok.incarnation };
    case 'delete-topic':
      if (outcome === 'fail') return exists ? undefined : state;
      return exists ? absent : undefined;
    case 'describe-topics':
      return ok?.f === 'describe-topics' ? shown(state, ok.topics.find(({ name }) => name === topic)?.incarnation, told) : state;
  }
}

function shown(state: State, incarnation: string | undefined, told: ReadonlySet<string>): State | undefined {
  if (incarnation === undefined) return state.kind === 'absent' ? state : undefined;
  if (state.kind === 'made') return told.has(incarnation) ? undefined : { kind: 'named', incarnation };
  return state.kind === 'named' && state.incarnation === incarnation ? state : undefined;
}
