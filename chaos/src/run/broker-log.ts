/**
 * What the logs of the brokers tell about a run: who became leader of what and when, and
 * what must never be there. Read after the run, so that it costs the cluster nothing.
 *
 * A log line is one JSON object with `time` (ISO 8601), `level`, `msg`, `node`; lines of
 * another form are words for people, written before the log was set up.
 */
import { readFile } from 'node:fs/promises';
import type { ClusterFinding } from '../record/run-record.ts';
import type { LeaderChanged, PartitionRef } from '../record/timeline.ts';

const nsPerMs = 1e6;
const fatalLevel = 60;
/** Not levels but words: a promise that was broken, whoever wrote it. */
const alarming = /InvariantViolation|unhandled rejection|uncaught exception/i;
const findingsMax = 20;

export interface LogFacts {
  readonly leaders: readonly LeaderChanged[];
  readonly findings: readonly ClusterFinding[];
}

interface LogSource {
  readonly node: number;
  readonly file: string;
}

/** `startedWallMs`: the wall clock at time 0 of the run. Files that are not there are empty. */
export async function readLogs(sources: readonly LogSource[], startedWallMs: number): Promise<LogFacts> {
  const parts = await Promise.all(
    sources.map(async ({ node, file }) => {
      const older = await readFile(`${file}.1`, 'utf8').catch(() => '');
      return factsOf(node, older + (await readFile(file, 'utf8').catch(() => '')), startedWallMs);
    }),
  );
  return {
    leaders: parts.flatMap(({ leaders }) => leaders).toSorted((a, b) => a.tNs - b.tNs),
    findings: parts.flatMap(({ findings }) => findings).slice(0, findingsMax),
  };
}

export function factsOf(node: number, text: string, startedWallMs: number): LogFacts {
  const leaders: LeaderChanged[] = [];
  const findings: ClusterFinding[] = [];
  for (const line of text.split('\n')) {
    const entry = parse(line);
    const leader = entry === undefined ? undefined : leaderOf(entry, startedWallMs);
    if (leader !== undefined) leaders.push(leader);
    if (alarming.test(line) || (entry !== undefined && isFatal(entry))) {
      findings.push({ node, what: line.slice(0, lineCharsMax) });
    }
  }
  return { leaders, findings };
}
const lineCharsMax = 2000;

/** Ends for these reasons are judged by their exit code (endings.ts): a fault may have asked for them. */
const judgedByExit: readonly unknown[] = ['STORAGE_FAILED', 'DATA_CORRUPT', 'DATA_FOREIGN', 'DATA_VERSION', 'WRONG_CLUSTER'];

const isFatal = ({ level, code }: LogEntry): boolean => typeof level === 'number' && level >= fatalLevel && !judgedByExit.includes(code);

type LogEntry = Readonly<Record<string, unknown>>;

function parse(line: string): LogEntry | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as LogEntry;
  } catch {
    // A process that was killed may have written half a line.
    return undefined;
  }
}

function leaderOf({ msg, time, node, subject, term }: LogEntry, startedWallMs: number): LeaderChanged | undefined {
  if (msg !== 'broker: leads' || typeof time !== 'string' || typeof node !== 'number' || typeof term !== 'number') return undefined;
  const place = placeOf(String(subject));
  if (place === undefined) return undefined;
  const tNs = (Date.parse(time) - startedWallMs) * nsPerMs;
  return { kind: 'leader', tNs, ...place, leader: node, term };
}

/** `topic-partition`; the metadata has another name. */
function placeOf(subject: string): PartitionRef | undefined {
  const [, topic, partition] = /^(.+)-(\d+)$/.exec(subject) ?? [];
  return topic === undefined || partition === undefined ? undefined : { topic, partition: Number(partition) };
}
