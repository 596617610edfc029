/** The living part of a run: load and probes on, calm, then the steps as often as the scenario says. */
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '@balsa/client';
import { faultControl } from '../faults/fault-control.ts';
import { createChance } from '../nemesis/chance.ts';
import type { Nemesis } from '../nemesis/nemesis.ts';
import { createNemesis } from '../nemesis/play-steps.ts';
import { type Probes, startProbes } from '../workload/probes.ts';
import { startWorkload, type Workload } from '../workload/workload.ts';
import { untilCaughtUp } from './catch-up.ts';
import { seedOf } from './seeds.ts';
import type { Stage } from './stage.ts';

const progressMs = 200;

/** When it settles the cluster is healed, and every client has ended. */
export async function playRepeats(stage: Stage): Promise<void> {
  const { scenario, timeline, signal, onAcked } = stage;
  const workload = startWorkload({ ...clientOptions(stage, 'workload'), load: scenario.load });
  const progress = setInterval(() => onAcked(workload.acked()), progressMs);
  let probes: Probes | undefined;
  try {
    const { probes: plan, acks } = scenario.load;
    const tell = { onSample: stage.onSample, onStall: stallNote(stage) };
    probes = plan === undefined ? undefined : await startProbes({ ...clientOptions(stage, 'probes'), plan, acks: acks[0], ...tell });
    timeline.phase('warmup');
    await rest(scenario.warmupMs, signal);
    await repeat(stage, workload);
  } finally {
    clearInterval(progress);
    await settle(stage, workload, probes);
  }
}

const clientOptions = ({ cluster, scenario, history, nowNs, nextId }: Stage, name: string) => ({
  address: cluster.address,
  topics: scenario.topics,
  history,
  nowNs,
  nextId,
  random: createChance(seedOf(scenario.seed, name)),
});

/** A harness that was held up measured itself. */
const stallNote =
  ({ timeline }: Stage) =>
  (ms: number): void =>
    timeline.remark(`the harness was held up for ${Math.round(ms)} ms`);

async function repeat(stage: Stage, workload: Workload): Promise<void> {
  const { scenario, timeline, signal, cluster } = stage;
  await using admin = await connect(cluster.address, { clientId: 'nemesis' });
  const nemesis = nemesisOf(stage, workload, admin);
  for (let number = 1; number <= scenario.repeats; number += 1) {
    timeline.phase('calm', number);
    await rest(scenario.calmMs, signal);
    timeline.phase('fault', number);
    await nemesis.play(scenario.steps, number);
    if (await untilCalm(stage, scenario.settleMsMax, signal))
      timeline.add({ kind: 'fully-replicated', tNs: stage.nowNs(), repeat: number });
    signal.throwIfAborted();
  }
  timeline.phase('settle');
  await nemesis.healAll();
}

function nemesisOf(stage: Stage, workload: Workload, admin: Stage['admin']): Nemesis {
  const { scenario, cluster, timeline, nowNs, endings, signal } = stage;
  const [first] = scenario.topics;
  if (first === undefined) throw new RangeError('a scenario has a topic');
  return createNemesis({
    cluster,
    ...('namespaces' in cluster ? { namespaces: cluster.namespaces } : {}),
    admin,
    load: workload,
    random: createChance(seedOf(scenario.seed, 'nemesis')),
    partition: { topic: first.name, partition: 0 },
    control: (node) => faultControl(cluster.node(node).httpAddress),
    expectEnding: endings.expect,
    nowNs,
    timeline: timeline.add,
    acked: workload.acked,
    untilCalm: (withinMs, until) => untilCalm(stage, withinMs, until),
    signal,
  });
}

/** Whether all nodes were ready and all replicas had caught up in time. */
async function untilCalm({ cluster, admin, scenario }: Stage, withinMs: number, signal: AbortSignal): Promise<boolean> {
  const endMs = performance.now() + withinMs;
  try {
    await cluster.untilReady(cluster.nodes, withinMs);
  } catch {
    return false;
  }
  return untilCaughtUp(admin, {
    topics: scenario.topics.map(({ name }) => name),
    withinMs: Math.max(0, endMs - performance.now()),
    signal,
  });
}

async function settle(stage: Stage, workload: Workload, probes: Probes | undefined): Promise<void> {
  stage.cluster.heal();
  await Promise.all([workload.stop(), probes?.stop()]);
  if (workload.skipped() > 0)
    stage.timeline.remark(`${workload.skipped()} records were due and not sent: too many had no answer, or a producer was not connected`);
  for (const { message } of [...workload.failures, ...(probes?.failures ?? [])])
    stage.report({ node: 0, what: `a client failed: ${message}` });
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}
