/**
 * Reads what a run left in its folder. A run that was cut short has fewer files; what is
 * there is read as far as it is whole: the last line of a file may be torn.
 *
 * Failure contract: `RecordError` names the file and what is wrong with it.
 */
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { HistoryEvent } from '../history/event.ts';
import { decodeEvent, HistoryFormatError } from '../history/ndjson.ts';
import type { ProbeSample } from './probe-sample.ts';
import { files, type RunDescription, type RunOutcome } from './run-record.ts';
import type { TimelineEvent } from './timeline.ts';

export class RecordError extends Error {
  override readonly name: string = 'RecordError';
}

/** Larger ones would not fit into memory together with what is made of them. */
const fileBytesMax = 1024 * 1024 * 1024;

export interface RunRecord {
  readonly description: RunDescription;
  readonly history: readonly HistoryEvent[];
  /** In order of time. */
  readonly timeline: readonly TimelineEvent[];
  readonly probes: readonly ProbeSample[];
  readonly outcome: RunOutcome;
}

export async function readRecord(folder: string): Promise<RunRecord> {
  const description = await readJson<RunDescription>(path.join(folder, files.run));
  if (description.format !== 1) {
    throw new RecordError(`${path.join(folder, files.run)} has format ${String(description.format)}; this version reads format 1`);
  }
  return {
    description,
    history: await readHistory(path.join(folder, files.history)),
    timeline: (await readLines<TimelineEvent>(path.join(folder, files.timeline))).toSorted((a, b) => a.tNs - b.tNs),
    probes: await readLines<ProbeSample>(path.join(folder, files.probes)),
    outcome: await readJson<RunOutcome>(path.join(folder, files.outcome)),
  };
}

/** Checked event by event: a history may come from elsewhere. */
export async function readHistory(file: string): Promise<readonly HistoryEvent[]> {
  const lines = await linesOf(file);
  try {
    return lines.map((line, i) => decodeEvent(line, i + 1));
  } catch (error) {
    throw error instanceof HistoryFormatError ? new RecordError(`${file}: ${error.message}`) : error;
  }
}

async function readLines<Line>(file: string): Promise<readonly Line[]> {
  const lines = await linesOf(file);
  return lines.map((line, i) => parse<Line>(line, `${file}, line ${i + 1}`));
}

async function linesOf(file: string): Promise<readonly string[]> {
  const lines = (await readText(file)).split('\n');
  // What stands behind the last line break was being written when the run ended.
  lines.pop();
  return lines;
}

const readJson = async <Value>(file: string): Promise<Value> => parse<Value>(await readText(file), file);

async function readText(file: string): Promise<string> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) throw new RecordError(`${file} is not there: the run was cut short, or this is not the folder of a run`);
  if (found.size > fileBytesMax) throw new RecordError(`${file} has ${found.size} bytes; at most ${fileBytesMax} can be read`);
  return readFile(file, 'utf8');
}

function parse<Value>(text: string, where: string): Value {
  try {
    return JSON.parse(text) as Value;
  } catch {
    throw new RecordError(`${where} is not JSON`);
  }
}
