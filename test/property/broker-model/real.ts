/** The cluster that the commands are run against: whole brokers under the virtual clock, checked from within as they go. */
import type { Balsa, Producer, TopicDescription } from '@balsa/client';
import { createCommitChain } from '../../sim/checks/commit-chain.ts';
import { createReplicaChecks } from '../../sim/checks/replica-checks.ts';
import { SimFailure } from '../../sim/checks/sim-failure.ts';
import { start } from '../../sim/nemesis/lifecycle.ts';
import type { SwarmOptions } from '../../sim/nemesis/swarm.ts';
import type { RunState } from '../../sim/run/run-state.ts';
import { createTrace, type Trace } from '../../sim/run/trace.ts';
import { createWatch } from '../../sim/run/watch.ts';
import { createRecorder, type Recorder } from '../../sim/workload/recorder.ts';
import { calmProfile } from '../../sim/world/disk/disk-profile.ts';
import { createFaultAtlas } from '../../sim/world/disk/fault-atlas.ts';
import { createStreams, type Stream } from '../../sim/world/random-streams.ts';
import type { VirtualClock } from '../../sim/world/virtual-clock.ts';
import { createWorld, type World } from '../../sim/world/world.ts';
import { createLog, createModel, type Model, placeName } from './model.ts';
import { connectClient } from './model-client.ts';

/** What is fixed before the first command; part of the generated input. */
export interface Setup {
  /** Of latencies, election time-outs, sizes. */
  readonly seed: number;
  readonly nodes: number;
  /** All nodes lose power together before everything is read at the end. */
  readonly powerLossAtEnd: boolean;
}

type ByteProducer = Producer<Uint8Array, Uint8Array>;

export interface Session {
  readonly name: string;
  readonly producer: ByteProducer;
  /** Operations of unknown outcome: after each the history calls the process by a new name. */
  turn: number;
}

export interface Real {
  readonly setup: Setup;
  readonly run: RunState;
  readonly world: World;
  readonly clock: VirtualClock;
  readonly recorder: Recorder;
  readonly trace: Trace;
  /** Producers live here, in a process whose links may be cut. */
  readonly writer: Balsa;
  readonly reader: Balsa;
  readonly admin: Balsa;
  readonly sessions: Map<string, Session>;
  /** Counts commands that took effect, over all runs. */
  readonly took: (what: string) => void;
}

export interface Started {
  readonly model: Model;
  readonly real: Real;
}

export const replicationFactor = 3;
const foundingMs = 20_000;

/** `orders` stays whole, `logs` is subject to retention, `jobs` comes and goes. */
export const topics = { orders: 2, logs: 1, jobs: 1 } as const;

/** Starts everything and waits until it serves. */
export async function startCluster(setup: Setup, run: RunState, trace: Trace, took: Real['took']): Promise<Started> {
  const { world, crew } = run;
  const { clock } = world;
  for (const node of world.nodes) start(run, node);
  const isReady = (): boolean =>
    world.nodes.every(({ life }) => life?.broker.readiness().every(({ problem }) => problem === undefined) === true);
  await clock.until('all nodes are ready', isReady, foundingMs);
  const model = createModel(world.nodes.map(({ id }) => id));
  const onSent = (id: number): void => {
    const value = model.values.get(id);
    if (value !== undefined) value.attempts += 1;
  };
  const connecting = Promise.all(['writer', 'reader', 'admin'].map((name) => connectClient(world, name, onSent)));
  const [writer, reader, admin] = (await clock.settle('clients connect to a new cluster', connecting, foundingMs)) as [Balsa, Balsa, Balsa];
  const real = { setup, run, world, clock, recorder: crew.recorder, trace, writer, reader, admin, sessions: new Map(), took };
  for (const topic of ['orders', 'logs'] as const) {
    const complete = crew.recorder.invoke({ f: 'create-topic', process: 'founder', topic, retention: topic === 'logs' });
    const creating = admin.admin.topics.create(topic, { partitions: topics[topic], replicas: replicationFactor }, { timeout: foundingMs });
    const created = await clock.settle(`${topic} is created`, creating, foundingMs);
    complete({ type: 'ok', incarnation: incarnationOf(created) });
    addLogs(model, created);
  }
  return { model, real };
}

export const incarnationOf = ({ partitions }: TopicDescription): string => String(partitions[0]?.groupId);

export function addLogs(model: Model, { name: topic, partitions }: TopicDescription): void {
  for (const { partition, groupId, replicas } of partitions)
    model.logs.set(placeName({ topic, partition }), createLog({ topic, partition }, groupId, replicas));
}

/** The world of one run, with the checks that look into the brokers. */
export function createRun(setup: Setup): { readonly run: RunState; readonly trace: Trace } {
  const { seed, nodes } = setup;
  const random = createStreams(seed)('model');
  const trace = createTrace(() => run.world.clock.monotonicMs());
  const { note } = trace;
  const options = drawOptions(setup, random);
  const world = createWorld({
    seed,
    nodes,
    tuning: options.tuning,
    clocks: () => ({ rate: 1, wallOffsetMs: 0 }),
    disks: () => ({ ...calmProfile(), syncMsMax: options.syncMsMax }),
    onDiskFault: (node, { kind }) => note(`disk-${kind}`, String(node)),
    mayDiskFault: () => false,
    watch: createWatch(() => run),
  });
  const latency = world.random('latency');
  world.clients.latencyMs = () => latency.below(options.latencyMsMax * 1000 + 1) / 1000;
  const recorder = createRecorder(world.clock, (event) => note(`history-${event.f}-${event.type}`, JSON.stringify(event)));
  const run: RunState = {
    options,
    world,
    crew: { world, recorder, note, stopping: false, running: new Map() },
    weather: { latencyMsMax: options.latencyMsMax },
    chain: createCommitChain((node, group, index, print) => note('applied', `${node} ${group} ${index} ${print}`)),
    checks: createReplicaChecks(),
    note,
    atlas: createFaultAtlas({ nodes: world.nodes.map(({ id }) => Number(id)), replicasMin: replicationFactor }),
    refused: new Set(),
    excused: new Set(),
    damagedInLife: new Map(),
    failure: undefined,
  };
  return { run, trace };
}

const kib = 1024;

/** Short time-outs make a run cheap, small sizes make checkpoints, snapshots and full windows common. */
function drawOptions({ seed, nodes }: Setup, random: Stream): SwarmOptions {
  const isSmall = random.chance(500);
  return {
    seed,
    nodes,
    partitions: topics.orders,
    producers: 0,
    consumers: 0,
    faults: [],
    faultPauseMsMax: 0,
    faultMsMax: 0,
    safetyMs: 0,
    latencyMsMax: random.pick([0, 2, 15]),
    syncMsMax: random.pick([0, 3, 15]),
    driftPerMille: 0,
    retentionBytes: undefined,
    topicChurn: false,
    tuning: {
      raft: {
        heartbeatMs: 100,
        electionMsMin: 300,
        electionMsMax: 600,
        ...(isSmall ? { appendBytesMax: 256, inflightBytesMax: 2 * kib } : {}),
      },
      journal: { reclaimMs: 1000, ...(isSmall ? { segmentBytes: 64 * kib, cacheBytes: 2 * kib } : {}) },
      maintenance: { retentionCheckMs: 500, balanceCheckMs: 500, balanceStableMs: 1000 },
      host: isSmall ? { checkpointCommands: 4, checkpointsMax: 2, applyBytesMax: 512 } : { checkpointCommands: 10 },
    },
    deadAtEnd: 0,
    restartBeforeDrain: false,
  };
}

/** Throws what went wrong outside of a call that could have thrown it. */
export function throwFailure({ run }: Real): void {
  if (run.failure !== undefined) throw run.failure;
}

/** Settles a call; one that takes longer than it may fails the run. */
export async function endsWithin<Result>({ clock }: Real, what: string, call: Promise<Result>, limitMs: number): Promise<Result> {
  let isSettled = false;
  const watched = call.finally(() => {
    isSettled = true;
  });
  watched.catch(() => {});
  await clock
    .until(what, () => isSettled, limitMs)
    .catch((error: unknown) => {
      throw new SimFailure('calls end within their deadline', `${what}: ${String(error)}`);
    });
  return await watched;
}
