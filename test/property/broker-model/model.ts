/**
 * What clients of the cluster may rely on, and nothing of how it works: per partition which
 * value stands where as far as anybody was told, per value what became of it, and which
 * processes run and hear each other.
 */
import type { Acks } from '@balsa/client';

/**
 * `acked` is for ever; `weak` was acknowledged by the leader alone, which a change of leaders
 * may undo; `unknown` may be there or not; `refused` certainly is not.
 */
export type Fate = 'pending' | 'acked' | 'weak' | 'unknown' | 'refused';

export interface Value {
  readonly id: number;
  readonly bytes: number;
  /** Its producer, which keeps the order of what it sends to one partition if it is idempotent. */
  readonly session: string;
  readonly idempotent: boolean;
  readonly acks: Acks;
  /** The partition that it was sent to. */
  readonly log: Log;
  fate: Fate;
  /** Where it was acknowledged or seen. */
  readonly offsets: Set<number>;
  /** How often it was put on the wire: without idempotence each time may leave a copy. */
  attempts: number;
}

/** One partition in one life of its topic. */
export interface Log {
  readonly topic: string;
  readonly partition: number;
  readonly group: number;
  /** The voters that it was founded with. */
  readonly founders: readonly number[];
  /** Value by offset, as far as known. */
  readonly known: Map<number, number>;
  /** The end (exclusive) is not below this. */
  end: number;
  /** The log start (inclusive) is not below this. */
  start: number;
  /** Fewest bytes that retention was ever told to keep; undefined: it removes nothing. */
  keepBytesMin: number | undefined;
  /** The limit now in force; undefined: none, or nobody knows. */
  keepBytes: number | undefined;
  /** Voters; undefined since somebody asked for others. */
  replicas: readonly number[] | undefined;
}

/** Whether the topic that comes and goes is there; `murky` after a call of unknown outcome. */
export type Presence = 'absent' | 'there' | 'murky';

export interface Model {
  readonly nodes: readonly number[];
  /** Logs of the topics that are there, by `placeName`. */
  readonly logs: Map<string, Log>;
  readonly values: Map<number, Value>;
  jobs: Presence;
  readonly down: Set<number>;
  readonly paused: Set<number>;
  /** Ordered pairs of endpoints, by `linkName`. */
  readonly cuts: Set<string>;
  /** When a fault or its end last disturbed the cluster. */
  disturbedMs: number;
}

export interface Place {
  readonly topic: string;
  readonly partition: number;
}

export const placeName = ({ topic, partition }: Place): string => `${topic}/${partition}`;
export const linkName = (from: Endpoint, to: Endpoint): string => `${from}>${to}`;

/** A node, or the process of the producers. */
export type Endpoint = number | 'writer';

export function createModel(nodes: readonly number[]): Model {
  return {
    nodes,
    logs: new Map(),
    values: new Map(),
    jobs: 'absent',
    down: new Set(),
    paused: new Set(),
    cuts: new Set(),
    disturbedMs: 0,
  };
}

export function createLog({ topic, partition }: Place, group: number, founders: readonly number[]): Log {
  const bounds = { end: 0, start: 0, keepBytesMin: undefined, keepBytes: undefined };
  return { topic, partition, group, founders, replicas: founders, known: new Map(), ...bounds };
}

export const isRunning = (model: Readonly<Model>, node: number): boolean => !model.down.has(node) && !model.paused.has(node);

const isLinked = ({ cuts }: Readonly<Model>, one: number, other: number): boolean =>
  !cuts.has(linkName(one, other)) && !cuts.has(linkName(other, one));

/** Whether some node runs and hears, and is heard by, a majority of the voters. If not, nothing may be acknowledged. */
export function hasMajority(model: Readonly<Model>, replicas: readonly number[] | undefined): boolean {
  // Of voters that nobody knows, at least two are needed: no group here has fewer.
  const voters = replicas ?? model.nodes;
  const needed = replicas === undefined ? 2 : Math.floor(voters.length / 2) + 1;
  const running = voters.filter((node) => isRunning(model, node));
  return running.some((node) => running.filter((other) => other === node || isLinked(model, node, other)).length >= needed);
}

/** After which the cluster and its clients have overcome whatever happened: an election, and a request that was swallowed. */
const recoveryMs = 5000;

/** Whether every call must succeed: everybody has run and heard everybody for long enough. */
export const isCalm = ({ down, paused, cuts, disturbedMs }: Readonly<Model>, nowMs: number): boolean =>
  down.size === 0 && paused.size === 0 && cuts.size === 0 && nowMs - disturbedMs > recoveryMs;

export const pendingOf = ({ values }: Readonly<Model>, topic?: string): number =>
  [...values.values()].filter(({ fate, log }) => fate === 'pending' && (topic === undefined || log.topic === topic)).length;
