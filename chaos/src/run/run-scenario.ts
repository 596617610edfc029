/**
 * Runs a scenario from the first process to the verdict, and leaves the record of it in a folder.
 *
 * Failure contract: rejects if the run could not be carried out (a cluster that does not
 * start, a step that cannot be done, the signal); processes, links and faults are gone then too.
 * What the cluster does wrong is no rejection but the outcome.
 */
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { connect } from '@balsa/client';
import { startChaosCluster } from '../cluster/chaos-cluster.ts';
import type { ChaosNode, Ending } from '../cluster/chaos-node.ts';
import { createHistory } from '../history/recorder.ts';
import { createChance } from '../nemesis/chance.ts';
import { startHardCluster } from '../nemesis/hard-cluster.ts';
import { neededBy } from '../nemesis/needs.ts';
import { openLineFile } from '../record/line-file.ts';
import { files, type RunOutcome } from '../record/run-record.ts';
import type { TimelineEvent } from '../record/timeline.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { createNumbers } from '../workload/crew.ts';
import { readLogs } from './broker-log.ts';
import { createEndings } from './endings.ts';
import { describeEnvironment } from './environment.ts';
import { foundTopics } from './found-topics.ts';
import { judge } from './judge.ts';
import { playRepeats } from './play-repeats.ts';
import { readBack } from './read-back.ts';
import { seedOf } from './seeds.ts';
import type { Stage } from './stage.ts';
import { createTimeline } from './timeline-keeper.ts';

export interface RunRequest {
  readonly scenario: Scenario;
  /** For the record; must not hold another run. */
  readonly folder: string;
  /** How to do it again. */
  readonly command: string;
  /** Whether the brokers' data stay although the run passed. */
  readonly keepData: boolean;
  readonly signal: AbortSignal;
  readonly onEvent: (event: TimelineEvent) => void;
  /** Called often, for a line of progress. */
  readonly onProgress: (acked: number) => void;
}

const nsPerMs = 1e6;
const dataFolder = 'nodes';

export async function runScenario(request: RunRequest): Promise<RunOutcome> {
  const { scenario, folder, command, signal } = request;
  await mkdir(folder, { recursive: true });
  const environment = await describeEnvironment(folder);
  const { seed } = scenario;
  await writeJson(path.join(folder, files.run), { format: 1, scenario, seed, command, environment });
  const startedWallMs = Date.now();
  const startedMs = performance.now();
  const nowNs = (): number => Math.round((performance.now() - startedMs) * nsPerMs);
  await using ends = new AsyncDisposableStack();
  const lines = { history: openLineFile(path.join(folder, files.history)), probes: openLineFile(path.join(folder, files.probes)) };
  const closeLines = async (): Promise<void> => void (await Promise.all([lines.history.close(), lines.probes.close()]));
  ends.defer(closeLines);
  const timeline = createTimeline(nowNs, request.onEvent);
  const endings = createEndings();
  const stage: Stage = await setStage(request, ends, {
    nowNs,
    timeline,
    endings,
    history: createHistory(nowNs, (event) => lines.history.add(event)),
    onSample: (sample) => lines.probes.add(sample),
  });
  await playRepeats(stage);
  signal.throwIfAborted();
  await readBack(stage);
  timeline.phase('end');
  const { nodes, stop } = stage.cluster;
  await stop();
  await closeLines();
  const logs = await readLogs(
    nodes.map(({ id, logFile }) => ({ node: id, file: logFile })),
    startedWallMs,
  );
  const all = [...timeline.events, ...logs.leaders].toSorted((a, b) => a.tNs - b.tNs);
  await writeLines(path.join(folder, files.timeline), all);
  const cluster = [...endings.findings, ...logs.findings, ...stage.findings()];
  const outcome = judge({ scenario, history: [...stage.history], timeline: all, probes: stage.samples, cluster });
  await writeJson(path.join(folder, files.outcome), outcome);
  await tidy(folder, outcome.result !== 'pass' || request.keepData);
  return outcome;
}

type StageParts = Pick<Stage, 'nowNs' | 'timeline' | 'endings' | 'history'> & { readonly onSample: Stage['onSample'] };

/** Cluster and topics, all in order; ends with `ends`. */
async function setStage(request: RunRequest, ends: AsyncDisposableStack, parts: StageParts): Promise<Stage> {
  const { scenario, folder, signal, onProgress } = request;
  const { timeline, nowNs, endings, history } = parts;
  timeline.phase('start');
  const needs = neededBy(scenario.steps);
  const brokers = {
    nodes: scenario.cluster.nodes,
    folder: path.join(folder, dataFolder),
    keep: true,
    config: Object.fromEntries(
      Object.entries(scenario.cluster.config).map(([key, value]) => [key, typeof value === 'boolean' ? String(value) : value]),
    ),
    brokerArguments: () => (needs.has('unsafe-faults') ? ['--unsafe-faults'] : []),
    onEnded: ({ id }: ChaosNode, ending: Ending): void => {
      const expected = endings.note(id, ending);
      timeline.add({ kind: 'node', tNs: nowNs(), node: id, state: 'ended', exit: { code: ending.code, signal: ending.signal, expected } });
    },
  };
  const random = createChance(seedOf(scenario.seed, 'links')).share;
  const cluster = needs.has('namespaces') ? await startHardCluster(brokers) : await startChaosCluster({ ...brokers, random });
  ends.defer(cluster.stop);
  for (const { id } of cluster.nodes) timeline.add({ kind: 'node', tNs: nowNs(), node: id, state: 'ready' });
  const admin = await connect(cluster.address, { clientId: 'admin' });
  ends.defer(() => admin.close({ timeout: 1000 }));
  await foundTopics(admin, scenario.topics, history);
  const samples: Stage['samples'][number][] = [];
  const findings: ReturnType<Stage['findings']>[number][] = [];
  const stage: Stage = {
    ...parts,
    scenario,
    cluster,
    admin,
    signal,
    nextId: createNumbers(),
    samples,
    onSample: (sample) => {
      samples.push(sample);
      parts.onSample(sample);
    },
    report: (finding) => findings.push(finding),
    findings: () => findings,
    onAcked: onProgress,
  };
  return stage;
}

/** Logs stay; the data of the brokers only if somebody has to look at them. */
async function tidy(folder: string, keepData: boolean): Promise<void> {
  const data = path.join(folder, dataFolder);
  const logs = path.join(folder, files.logs);
  await mkdir(logs, { recursive: true });
  for (const name of await readdir(data)) if (name.includes('.log')) await rename(path.join(data, name), path.join(logs, name));
  if (!keepData) await rm(data, { recursive: true, force: true });
}

const writeJson = (file: string, value: object): Promise<void> => writeFile(file, `${JSON.stringify(value, undefined, 2)}\n`);
const writeLines = (file: string, values: readonly object[]): Promise<void> =>
  writeFile(file, values.map((value) => `${JSON.stringify(value)}\n`).join(''));
