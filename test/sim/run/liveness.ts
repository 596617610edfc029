/**
 * The liveness phase: a majority is healed for good, the rest may stay dead, and within
 * bounded virtual time every partition serves again, every call comes to an end, and the
 * replicas agree (I-L1, I-L2, I-L5).
 */
import { SimFailure } from '../checks/sim-failure.ts';
import type { GroupStatus } from '@balsa/node/host/vocabulary.ts';
import type { Nemesis } from '../nemesis/nemesis.ts';
import { kill, start } from '../nemesis/lifecycle.ts';
import { sendOnce } from '../workload/probe.ts';
import { createWorker } from '../workload/worker.ts';
import type { RunState } from './run-state.ts';
import { mainTopic } from './workload.ts';

/** For elections, pings that must time out, and the client's retries. */
const serveMs = 12_000;
const endMs = 20_000;
const agreeMs = 10_000;
const superviseMs = 300;

/**
 * Nodes that stay dead. One whose disk is damaged may refuse its next start, and one that has
 * refused stays down: with these the dead must not be more than the cluster can be without.
 */
export function heal(run: RunState, nemesis: Nemesis): ReadonlySet<number> {
  const { options, world, refused, atlas } = run;
  const doubtful = new Set([...refused, ...atlas.damagedNodes()]);
  const sound = world.nodes.filter(({ id }) => !doubtful.has(id));
  const dying = world
    .random('core')
    .shuffle(sound)
    .slice(0, Math.max(0, options.deadAtEnd - doubtful.size));
  for (const node of dying) kill(run, node);
  const dead = new Set([...dying.map(({ id }) => Number(id)), ...refused]);
  nemesis.heal(dead);
  supervise(run, dead);
  run.note('healed', [...dead].join());
  return dead;
}

/** Starts again what ended, as a process manager would. */
export function supervise(run: RunState, dead: ReadonlySet<number>): void {
  run.world.clock.every(superviseMs, () => {
    for (const node of run.world.nodes) if (!dead.has(node.id)) start(run, node);
  });
}

/** Waits under the virtual clock; a wait that is too long is a failure of liveness. */
export async function eventually(run: RunState, rule: string, limitMs: number, isSo: () => boolean, facts: () => unknown): Promise<void> {
  try {
    await run.world.clock.until(rule, () => run.failure !== undefined || isSo(), limitMs);
  } catch {
    throw new SimFailure(rule, `not within ${limitMs} ms: ${JSON.stringify(facts())}`);
  }
  if (run.failure !== undefined) throw run.failure;
}

export async function serveAgain(run: RunState, dead: ReadonlySet<number>): Promise<void> {
  const { crew } = run;
  let served = 0;
  for (let partition = 0; partition < run.options.partitions; partition++) {
    void probe(run, partition).then(() => {
      served += 1;
    });
  }
  await eventually(
    run,
    'I-L1 every partition serves',
    serveMs,
    () => served === run.options.partitions,
    () => describe(run),
  );
  crew.stopping = true;
  await eventually(
    run,
    'I-L5 every call ends',
    endMs,
    () => crew.running.size === 0,
    () => [...crew.running.keys(), describe(run)],
  );
  if (crew.recorder.open() > 0) throw new SimFailure('I-L5 every call ends', `${crew.recorder.open()} operations are open`);
  await eventually(
    run,
    'I-L2 replicas agree',
    agreeMs,
    () => agree(run, dead),
    () => describe(run),
  );
}

/** A new client sends one record to a partition, until that works. */
async function probe(run: RunState, partition: number): Promise<void> {
  const worker = createWorker(run.crew, `probe${partition}`);
  const balsa = await worker.client.connect().catch(() => undefined);
  if (balsa === undefined) {
    await worker.pause(superviseMs);
    return await probe(run, partition);
  }
  while (!(await sendOnce(worker, balsa, mainTopic, partition))) await worker.pause(superviseMs);
  await balsa.close();
}

/** All living replicas of each group have applied the same and know of nothing else. */
function agree({ world, refused }: RunState, dead: ReadonlySet<number>): boolean {
  const ends = new Map<number, number>();
  for (const node of world.nodes) {
    if (dead.has(node.id) || refused.has(node.id)) continue;
    if (node.life === undefined) return false;
    const { host } = node.life;
    for (const group of host.groups()) {
      const status = host.status(group);
      if (status === undefined || status.faulty || status.applied !== status.last || status.leader === 0) return false;
      const end = ends.get(group) ?? status.applied;
      ends.set(group, end);
      if (end !== status.applied) return false;
    }
  }
  return true;
}

/** The state of the cluster, for people who look at a failure. */
export function describe({ world }: RunState): unknown {
  return world.nodes.map(({ id, life, clock }) => ({
    id,
    up: life !== undefined,
    starting: clock !== undefined && life === undefined,
    groups: life?.host.groups().map((group) => {
      const status = life.host.status(group);
      return status === undefined
        ? group
        : [group, status.role, status.leader, status.term, status.commit, status.applied, status.last, status.faulty, members(status)];
    }),
  }));
}

function members({ membership: { voters, outgoing, learners } }: GroupStatus): string {
  const lists = [voters, outgoing, learners].map((nodes) => nodes.join());
  return lists.join('/');
}
