/**
 * Swarm testing: the seed draws which classes of faults a run knows at all, how often they
 * strike, and odd settings that make rare paths common. A run with everything switched on
 * hides what two or three faults alone would show.
 */
import type { NodeTuning } from '../world/node-config.ts';
import type { Stream } from '../world/random-streams.ts';

export const faultClasses = [
  'kill',
  'power',
  'power-all',
  'stop',
  'pause',
  'isolate',
  'one-way',
  'split',
  'bridge',
  'disconnect',
  'clog',
  'delay',
  'client-cut',
  'client-reset',
  'slow-disk',
  'clock-step',
  'transfer',
  'replicas',
  'state-damage',
  'part-kill',
  'disk-damage',
  'disk-sync-error',
  'disk-write-error',
  'disk-read-error',
  'disk-full',
  'disk-stall',
] as const;
export type FaultClass = (typeof faultClasses)[number];

export interface SwarmOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly partitions: number;
  readonly producers: number;
  readonly consumers: number;
  readonly faults: readonly FaultClass[];
  /** Pause between two faults. */
  readonly faultPauseMsMax: number;
  /** Longest time until a fault heals by itself. */
  readonly faultMsMax: number;
  readonly safetyMs: number;
  readonly latencyMsMax: number;
  readonly syncMsMax: number;
  /** Clocks run fast or slow by up to so many per mille. */
  readonly driftPerMille: number;
  readonly retentionBytes: number | undefined;
  readonly topicChurn: boolean;
  readonly tuning: NodeTuning;
  /** Nodes that stay dead after the faults, at most a minority of every partition's replicas. */
  readonly deadAtEnd: number;
  /** After the faults all nodes lose power together and start again before everything is read. */
  readonly restartBeforeDrain: boolean;
}

const kib = 1024;
const secondMs = 1000;
/** With founding before and liveness behind it, every run lives for more than half a minute. */
const safetyMs = 30 * secondMs;

export function drawOptions(seed: number, random: Stream): SwarmOptions {
  const nodes = random.pick([3, 3, 3, 3, 3, 5, 5, 1]);
  // Only some clusters can move replicas, so that these do so more often.
  const chanceOf = (name: FaultClass): number => (name === 'replicas' ? 600 : random.pick([100, 200, 400]));
  const faults = faultClasses.filter((name) => random.chance(chanceOf(name)) && fits(name, nodes));
  return {
    seed,
    nodes,
    partitions: random.between(1, 3),
    producers: random.between(1, 3),
    consumers: random.between(1, 2),
    faults,
    faultPauseMsMax: random.pick([500, 2000, 4000]),
    faultMsMax: random.pick([500, 2500, 8000]),
    safetyMs,
    latencyMsMax: random.pick([0, 2, 10, 60]),
    syncMsMax: random.pick([0, 5, 40]),
    driftPerMille: random.pick([0, 0, 50]),
    retentionBytes: random.pick([undefined, undefined, 4 * kib]),
    topicChurn: random.chance(300),
    tuning: drawTuning(random),
    deadAtEnd: faults.includes('replicas') ? 0 : random.pick([0, 0, nodes > 1 ? 1 : 0]),
    restartBeforeDrain: random.chance(300),
  };
}

/** A lone node has no network. */
const aloneFaults: readonly FaultClass[] = [
  'disk-sync-error',
  'disk-write-error',
  'disk-full',
  'disk-stall',
  'kill',
  'power',
  'stop',
  'pause',
  'client-cut',
  'client-reset',
  'slow-disk',
  'clock-step',
  'state-damage',
];

function fits(fault: FaultClass, nodes: number): boolean {
  if (fault === 'replicas') return nodes === 5;
  return nodes > 1 || aloneFaults.includes(fault);
}

function drawTuning(random: Stream): NodeTuning {
  const rare = <Value>(value: Value): Value | undefined => (random.chance(250) ? value : undefined);
  return {
    raft: {
      ...defined({ appendBytesMax: rare(256), inflightBytesMax: rare(2 * kib), uncommittedBytesMax: rare(32 * kib) }),
    },
    journal: {
      ...defined({ segmentBytes: rare(64 * kib), cacheBytes: rare(2 * kib), scrubPassMs: rare(2 * secondMs) }),
      reclaimMs: random.pick([500, 10 * secondMs]),
    },
    maintenance: { retentionCheckMs: random.pick([500, 5 * secondMs]), balanceStableMs: random.pick([500, 10 * secondMs]) },
    host: {
      ...defined({ checkpointCommands: rare(5), checkpointsMax: rare(2), applyBytesMax: rare(512), unsyncedBytesMax: rare(4 * kib) }),
    },
  };
}

type Defined<Values> = { [Name in keyof Values]: Exclude<Values[Name], undefined> };

/** The entries that have a value. */
function defined<Values extends object>(values: Values): Partial<Defined<Values>> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<Defined<Values>>;
}
