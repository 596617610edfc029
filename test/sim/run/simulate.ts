/**
 * One run of the world from one seed: a safety phase in which anything that the swarm drew
 * may fail, then a liveness phase in which a majority is healed for good and must converge
 * and serve; then everything is read and the history is judged.
 *
 * Failure contract: resolves with `failure` set when a rule was broken, whatever noticed it
 * (a check, an assertion of the product, an exception that nobody caught). Never rejects.
 */
import { checkBounds } from '../checks/bounds.ts';
import { createCommitChain } from '../checks/commit-chain.ts';
import { createReplicaChecks } from '../checks/replica-checks.ts';
import { SimFailure } from '../checks/sim-failure.ts';
import { startNemesis } from '../nemesis/nemesis.ts';
import { drawOptions, type SwarmOptions } from '../nemesis/swarm.ts';
import { createRecorder } from '../workload/recorder.ts';
import type { Crew } from '../workload/worker.ts';
import { mayDiskFault, onDiskFault, watchRepairs } from '../nemesis/disk-faults.ts';
import { createFaultAtlas } from '../world/disk/fault-atlas.ts';
import { calmProfile } from '../world/disk/disk-profile.ts';
import { createStreams } from '../world/random-streams.ts';
import { createWorld } from '../world/world.ts';
import { catchStrays } from './strays.ts';
import { judge } from './judge.ts';
import { heal, serveAgain } from './liveness.ts';
import type { RunState, Weather } from './run-state.ts';
import { createTrace } from './trace.ts';
import { createWatch } from './watch.ts';
import { found, startWorkload } from './workload.ts';

export interface RunResult {
  readonly seed: number;
  readonly options: SwarmOptions;
  readonly failure: SimFailure | undefined;
  /** SHA-256 of everything that happened. */
  readonly traceHash: string;
  readonly counts: ReadonlyMap<string, number>;
  readonly virtualMs: number;
  readonly events: number;
}

export interface RunRequest {
  readonly seed: number;
  /** Changes of what the seed drew: the minimiser's way to smaller runs. */
  readonly overrides?: Partial<SwarmOptions>;
  readonly onLine?: (line: string) => void;
}

export async function simulate({ seed, overrides, onLine }: RunRequest): Promise<RunResult> {
  const options = { ...drawOptions(seed, createStreams(seed)('swarm')), ...overrides };
  const { run, trace } = createRun(options, onLine);
  const strays = catchStrays((error) => {
    run.failure ??= error;
  });
  const failure = await phases(run).then(
    () => run.failure,
    // What broke first is the cause; what came of it is not.
    (error: unknown) => run.failure ?? error,
  );
  await strays.stop();
  const { clock } = run.world;
  // For the hash: runs that differ in something that nobody noted differ in their events.
  run.note('ended', String(clock.events()));
  return {
    seed,
    options,
    failure: failure === undefined ? undefined : asFailure(failure),
    traceHash: trace.digest(),
    counts: trace.counts,
    virtualMs: clock.monotonicMs(),
    events: clock.events(),
  };
}

async function phases(run: RunState): Promise<void> {
  await found(run);
  startWorkload(run);
  const nemesis = startNemesis(run);
  watchRepairs(run);
  await advance(run, run.options.safetyMs);
  const dead = heal(run, nemesis);
  await serveAgain(run, dead);
  await judge(run, dead);
}

const stepMs = 250;

/** Lets time pass, and ends the run at the first failure. */
async function advance(run: RunState, durationMs: number): Promise<void> {
  for (let passedMs = 0; passedMs < durationMs; passedMs += stepMs) {
    await run.world.clock.advance(stepMs);
    if (run.failure !== undefined) throw run.failure;
    for (const node of run.world.nodes) checkBounds(node);
  }
}

function asFailure(error: unknown): SimFailure {
  if (error instanceof SimFailure) return error;
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new SimFailure('an exception that nobody caught', stack);
}

function createRun(options: SwarmOptions, onLine: RunRequest['onLine']) {
  const trace = createTrace(() => run.world.clock.monotonicMs(), onLine);
  const { note } = trace;
  const weather: Weather = { latencyMsMax: options.latencyMsMax };
  const chain = createCommitChain((node, group, index, print) => note('applied', `${node} ${group} ${index} ${print}`));
  const checks = createReplicaChecks();
  const watch = createWatch(() => run);
  const world = createWorld({
    seed: options.seed,
    nodes: options.nodes,
    tuning: options.tuning,
    clocks: (node) => {
      const random = createStreams(options.seed)(`clock-${node}`);
      return { rate: 1 + random.between(-options.driftPerMille, options.driftPerMille) / 1000, wallOffsetMs: random.between(-500, 500) };
    },
    disks: () => ({ ...calmProfile(), syncMsMax: options.syncMsMax }),
    onDiskFault: (node, fault) => onDiskFault(run, node, fault),
    mayDiskFault: (node, kind) => mayDiskFault(run, node, kind),
    watch,
  });
  const drawMs = (stream: string, maxMs: number): number => (maxMs === 0 ? 0 : world.random(stream).below(maxMs * 1000) / 1000);
  world.clients.latencyMs = () => drawMs('latency', weather.latencyMsMax);
  const atlas = createFaultAtlas({ nodes: world.nodes.map(({ id }) => Number(id)), replicasMin: Math.min(3, options.nodes) });
  const recorder = createRecorder(world.clock, (event) => note(`history-${event.f}-${event.type}`, JSON.stringify(event)));
  const crew: Crew = { world, recorder, note, stopping: false, running: new Map() };
  const run: RunState = {
    options,
    world,
    crew,
    weather,
    chain,
    checks,
    note,
    excused: new Set(),
    refused: new Set(),
    damagedInLife: new Map(),
    atlas,
    failure: undefined,
  };
  return { run, trace };
}
