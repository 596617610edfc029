/**
 * Every reachable world within small bounds: breadth first, each state once (by its hash,
 * whichever node is which), every event that can happen in it, all invariants after each.
 *
 * Bounded are terms, elections, proposals, crashes, messages under way and heartbeats. Any
 * message may overtake others or never arrive (of more than the bound the oldest is lost);
 * a crash loses any suffix of the writes under way. What is within the bounds is explored
 * completely.
 */
import { worldHash } from './explore-code.ts';
import { checked } from './explore-invariants.ts';
import type { SimNode } from '../property/raft-node.ts';
import { bornWorld, crash, deliver, heartbeat, nodeOf, type Outcome, persist, propose, timeOut, type World } from './explore-world.ts';

export interface Bounds {
  readonly terms: number;
  /** Election time-outs, all nodes together. */
  readonly elections: number;
  /** A leader proposes while its log is shorter; the first entries of leaders come on top. */
  readonly proposeBelow: number;
  readonly crashes: number;
  /** Messages under way; older ones are lost. */
  readonly messages: number;
  /** Writes under way at which a node waits for its disk before it takes anything else. */
  readonly writes: number;
  /**
   * Followers and candidates do nothing else before their disk does its work or they crash.
   * Only leaders then have slow disks; far fewer states.
   */
  readonly promptDisks: boolean;
  readonly heartbeats: number;
  /** States after which the search gives up and says that it did. */
  readonly states: number;
}

export interface Exploration {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  /** Everything within the bounds was seen. */
  readonly isComplete: boolean;
  /** The first event sequence that broke an invariant; shortest possible. */
  readonly failure?: { readonly error: unknown; readonly path: readonly string[] };
}

interface Event {
  readonly name: string;
  readonly happen: () => Outcome;
}

interface Reached {
  readonly world: World;
  /** Number of this state, in the order of discovery. */
  readonly id: number;
}

export function explore(bounds: Bounds): Exploration {
  const seen = new Set<number>();
  const parents: number[] = [-1];
  const names: string[] = ['start'];
  let transitions = 0;
  let depth = 0;
  const result = () => ({ states: parents.length, transitions, depth });
  const pathTo = (id: number): string[] => (id <= 0 ? [] : [...pathTo(parents[id]!), names[id]!]);
  const start = bornWorld();
  seen.add(worldHash(start));
  let frontier: Reached[] = [{ world: start, id: 0 }];
  for (; frontier.length > 0; depth++) {
    const next: Reached[] = [];
    for (const { world, id } of frontier) {
      for (const { name, happen } of eventsOf(world, bounds)) {
        transitions += 1;
        let reached: World;
        try {
          reached = withinBounds(checked(happen()), bounds);
        } catch (error) {
          return { ...result(), isComplete: false, failure: { error, path: [...pathTo(id), name] } };
        }
        const hash = worldHash(reached);
        if (seen.has(hash)) continue;
        seen.add(hash);
        next.push({ world: reached, id: parents.length });
        parents.push(id);
        names.push(name);
      }
      if (parents.length > bounds.states) return { ...result(), isComplete: false };
    }
    frontier = next;
  }
  return { ...result(), isComplete: true };
}

/** Loses the oldest messages beyond the bound; first those that say nothing to anybody any more, because their campaign or leadership is over. */
function withinBounds(world: World, { messages }: Bounds): World {
  const network = world.network.filter(({ kind, to, term }) => {
    if (kind !== 'vote-response' && kind !== 'append-response') return true;
    const receiver = nodeOf(world, to).raft!;
    return term > receiver.term || (term === receiver.term && receiver.role === (kind === 'vote-response' ? 'candidate' : 'leader'));
  });
  return { ...world, network: network.slice(-messages) };
}

/** Everything that can happen next. */
function* eventsOf(world: World, bounds: Bounds): Iterable<Event> {
  const waiting = world.nodes.find(({ raft, pending }) => bounds.promptDisks && raft!.role !== 'leader' && pending.length > 0);
  if (waiting !== undefined) {
    yield* diskEventsOf(world, bounds, waiting);
    return;
  }
  for (const node of world.nodes) {
    yield* diskEventsOf(world, bounds, node);
    if (!isBusy(bounds, node)) yield* inputsOf(world, bounds, node);
  }
  for (const message of world.network) {
    if (isBusy(bounds, nodeOf(world, message.to))) continue;
    yield { name: `${message.kind} ${message.from}>${message.to}`, happen: () => deliver(world, message) };
  }
}

const isBusy = (bounds: Bounds, { pending }: SimNode): boolean => pending.length >= bounds.writes;

function* diskEventsOf(world: World, bounds: Bounds, { id, pending }: SimNode): Iterable<Event> {
  if (pending.length > 0) yield { name: `disk ${id}`, happen: () => persist(world, id) };
  if (world.crashes >= bounds.crashes) return;
  for (let kept = 0; kept <= pending.length; kept++) yield { name: `crash ${id} keeps ${kept}`, happen: () => crash(world, id, kept) };
}

function* inputsOf(world: World, bounds: Bounds, { id, raft, view }: SimNode): Iterable<Event> {
  const { role, term } = raft!;
  if (role !== 'leader') {
    const mayTimeOut = term < bounds.terms && world.elections < bounds.elections;
    if (mayTimeOut) yield { name: `time-out ${id}`, happen: () => timeOut(world, id) };
    return;
  }
  if (view.entries.length < bounds.proposeBelow) yield { name: `propose ${id}`, happen: () => propose(world, id) };
  if (world.heartbeats < bounds.heartbeats) yield { name: `heartbeat ${id}`, happen: () => heartbeat(world, id) };
}
