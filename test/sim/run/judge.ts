/** The end of a run: everything is read again, from clients and from the journals, and the history is judged. */
import { checkHistory } from '@balsa/chaos/history/check-history.ts';
import type { GroupId, RaftIndex } from '@balsa/node/core/ids.ts';
import type { RunningHost } from '@balsa/node/host/host.ts';
import { HostError } from '@balsa/node/host/vocabulary.ts';
import { groupName, printOf } from '../checks/commit-chain.ts';
import { require, SimFailure } from '../checks/sim-failure.ts';
import { powerOff, start } from '../nemesis/lifecycle.ts';
import type { SimNode } from '../world/sim-node.ts';
import { createWorker } from '../workload/worker.ts';
import { drainAll } from '../workload/drain.ts';
import { describe, eventually } from './liveness.ts';
import type { RunState } from './run-state.ts';

const restartMs = 10_000;
const drainMs = 60_000;
const readMs = 5000;
const pauseMs = 100;

export async function judge(run: RunState, dead: ReadonlySet<number>): Promise<void> {
  const { world, crew, options } = run;
  if (options.restartBeforeDrain) await restartAll(run, dead);
  await compareJournals(run, dead);
  const worker = createWorker(crew, 'drain');
  const drained = worker.client.connect().then(async (balsa) => {
    await drainAll(worker, balsa);
    await balsa.close();
  });
  await world.clock.settle('I-L7 drain completes', drained, drainMs).catch((error: unknown) => {
    throw run.failure ?? new SimFailure('I-L7 drain completes', error instanceof Error ? (error.stack ?? error.message) : String(error));
  });
  if (run.failure !== undefined) throw run.failure;
  judgeHistory(run);
}

/** Everything that was acknowledged is on the disks: all lose power at once. */
async function restartAll(run: RunState, dead: ReadonlySet<number>): Promise<void> {
  const living = run.world.nodes.filter(({ id }) => !dead.has(id));
  for (const node of living) powerOff(run, node);
  for (const node of living) start(run, node);
  const isReady = ({ life }: SimNode): boolean => life?.broker.readiness().every(({ problem }) => problem === undefined) === true;
  await eventually(
    run,
    'nodes are ready after a power failure',
    restartMs,
    () => living.every((node) => run.refused.has(node.id) || isReady(node)),
    () => describe(run),
  );
}

/** I-R2, I-R11: what the journals hold of the committed entries is what was applied. */
async function compareJournals(run: RunState, dead: ReadonlySet<number>): Promise<void> {
  for (const node of run.world.nodes) {
    if (dead.has(node.id) || run.refused.has(node.id)) continue;
    await run.world.clock.settle('a journal is read', compareJournal(run, node), readMs);
  }
}

async function compareJournal(run: RunState, node: SimNode): Promise<void> {
  for (const group of node.life?.host.groups() ?? []) while (!(await compareGroup(run, node, group))) await pause(run);
}

/** False if the group is silent: damage that nobody had read yet is found here, and healed by the peers. */
async function compareGroup(run: RunState, { id, life }: SimNode, group: GroupId): Promise<boolean> {
  const status = life?.host.status(group);
  if (life === undefined || status === undefined) return true;
  // The journal gives up the beginning of a log a little before the core hears of it.
  const first = life.storage.journal.group(status)?.first;
  if (first === undefined || status.applied < first) return true;
  const name = groupName(status);
  const entries = status.faulty ? undefined : await readUnlessFaulty(life.host, group, first, status.applied);
  for (const entry of entries ?? []) {
    if (entry.kind !== 'command') continue;
    const known = run.chain.at(name, entry.index);
    const print = printOf(entry.term, entry.payload);
    const facts = () => ({ node: id, name, index: entry.index, known, print });
    require(known === undefined || known === print, 'I-R2 journals hold what was applied', facts);
  }
  return entries !== undefined;
}

async function readUnlessFaulty(host: RunningHost, group: GroupId, first: RaftIndex, last: RaftIndex) {
  try {
    return await host.read(group, first, last, Number.MAX_SAFE_INTEGER);
  } catch (error) {
    if (error instanceof HostError && error.refusal.reason === 'faulty') return undefined;
    throw error;
  }
}

const pause = ({ world }: RunState): Promise<void> => new Promise((resolve) => void world.clock.after(pauseMs, resolve));

function judgeHistory(run: RunState): void {
  const verdict = checkHistory(run.crew.recorder.events);
  run.note(`verdict-${verdict.outcome}`);
  if (verdict.outcome === 'pass') return;
  const [first] = verdict.findings;
  const operations = run.crew.recorder.events.filter(({ op }) => first?.operations.includes(op) === true);
  throw new SimFailure(
    `history: ${first?.anomaly ?? verdict.outcome}`,
    `${JSON.stringify(verdict.findings.slice(0, findingsMax), undefined, 1)}\n${operations.map((event) => JSON.stringify(event)).join('\n')}`,
  );
}
const findingsMax = 3;
