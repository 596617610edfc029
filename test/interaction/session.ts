/** One run of a script: a cluster, the judge that watches it, and the transcript of the current block. */
import type { NodeId } from '@balsa/node/core/ids.ts';
import { type Arguments, parseCommandLine } from './arguments.ts';
import { judge, createSafetyCheck, type SafetyCheck } from './harness/checks/safety-check.ts';
import { type Cluster, createCluster } from './harness/cluster.ts';
import type { Happening } from './harness/happening.ts';
import type { Replica } from './harness/replica.ts';
import { createTranscript, type Transcript, transcribe } from './harness/transcript.ts';

export interface Session {
  readonly cluster: Cluster;
  readonly check: SafetyCheck;
  readonly transcript: Transcript;
}

export type Command = (session: Session, args: Arguments) => void;
export type Commands = Readonly<Record<string, Command>>;

export function createSession(): Session {
  const transcript = createTranscript();
  // The judge needs the cluster, and the cluster reports to the judge.
  const observe = (happening: Happening): void => {
    transcribe(transcript, happening);
    judge(check, happening);
  };
  const cluster = createCluster(observe);
  const check = createSafetyCheck(cluster);
  return { cluster, check, transcript };
}

/** Runs the commands of a block; returns their output and every invariant they violated. */
export function runBlock(session: Session, commands: Commands, lines: readonly string[]): string {
  return lines.flatMap((line) => runLine(session, commands, line)).join('\n');
}

function runLine(session: Session, commands: Commands, line: string): string[] {
  const { name, words, options } = parseCommandLine(line);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) throw new Error(`unknown command "${name}"`);
  const { transcript, check } = session;
  const violationsBefore = check.violations.length;
  transcript.lines = [];
  transcript.persistsAtOnce = session.cluster.autoPersist;
  transcript.appliesAtOnce = session.cluster.autoApply;
  transcript.deliversLater = () => false;
  command(session, { words: words.filter((word) => word !== 'quiet'), options });
  const shown = words.includes('quiet') ? transcript.lines.filter(isLandmark) : transcript.lines;
  return [...shown, ...check.violations.slice(violationsBefore).map((text) => `!!! VIOLATION ${text}`)];
}

/** What even a quiet command says: who leads, and what was refused. */
const isLandmark = (line: string): boolean => / is leader | refuses| STOPS|^error/.test(line);

export const say = (session: Session, line: string): void => {
  session.transcript.lines.push(line);
};

export function replicaOf({ cluster }: Session, id: NodeId): Replica {
  const replica = cluster.replicas.get(id);
  if (replica === undefined) throw new Error(`there is no node ${id}`);
  return replica;
}

export const allNodes = ({ cluster }: Session): NodeId[] => [...cluster.replicas.keys()].sort((a, b) => a - b);
