/** Runs all experiments of a study at all its points, one after the other: they share the machine. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { readRecord } from '../record/read-record.ts';
import type { Environment } from '../record/run-record.ts';
import { describeEnvironment } from '../run/environment.ts';
import { type RunRequest, runScenario } from '../run/run-scenario.ts';
import { type Measures, measuresOf } from './measures.ts';
import { faultsBefore, pointName, pointsOf, scenarioAt } from './points.ts';
import type { Study } from './study.ts';

export interface StudyRow {
  readonly point: string;
  readonly varies: string | undefined;
  /** By experiment; undefined: it could not be carried out. */
  readonly measures: Readonly<Record<string, Measures | undefined>>;
}

export interface StudyResults {
  readonly format: 1;
  readonly study: Study;
  readonly environment: Environment;
  readonly rows: readonly StudyRow[];
}

export interface StudyRequest {
  readonly study: Study;
  readonly folder: string;
  readonly signal: AbortSignal;
  /** After each point, with all that is known: a study that is ended early has not been in vain. */
  readonly onPoint: (results: StudyResults) => Promise<void>;
  readonly onExperiment: (point: string, experiment: string, measures: Measures | undefined, problem: string | undefined) => void;
}

export async function runStudy({ study, folder, signal, onPoint, onExperiment }: StudyRequest): Promise<StudyResults> {
  await mkdir(folder, { recursive: true });
  const points = pointsOf(study);
  // All of them first: a mistake in the last one shall not show after an hour.
  const planned = points.map((point) => study.experiments.map((experiment) => scenarioAt(study, point, experiment)));
  const environment = await describeEnvironment(folder);
  let results: StudyResults = { format: 1, study, environment, rows: [] };
  for (const [i, point] of points.entries()) {
    const measures: Record<string, Measures | undefined> = {};
    for (const [j, scenario] of (planned[i] ?? []).entries()) {
      const experiment = study.experiments[j]?.name ?? '';
      const name = `${String(i).padStart(2, '0')}-${experiment}`;
      const request = { scenario, folder: path.join(folder, name), command: '', keepData: false, signal };
      const { done, problem } = await attempt({ ...request, onEvent: () => undefined, onProgress: () => undefined }, faultsBefore(point));
      measures[experiment] = done;
      onExperiment(pointName(point), experiment, done, problem);
    }
    results = { ...results, rows: [...results.rows, { point: pointName(point), varies: point.varies, measures }] };
    await onPoint(results);
  }
  return results;
}

/** A point at which nothing works is a result, too. */
async function attempt(request: RunRequest, before: number): Promise<{ readonly done?: Measures; readonly problem?: string }> {
  try {
    await runScenario(request);
    return { done: measuresOf(await readRecord(request.folder), before) };
  } catch (error) {
    request.signal.throwIfAborted();
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}
