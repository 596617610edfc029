/**
 * Damage to what lies on the disk of a node while it is down, so that it finds something else
 * than it left when it starts again.
 *
 * A broker mends what it can name, and refuses to start on what it cannot: votes and
 * acknowledged entries may be among it. Then the operator puts back what was there; it was the
 * node's own last state, so nothing is forgotten by that.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { exitCodes } from '@balsa/node/assembly/exit-code.ts';
import * as z from 'zod';
import type { ChaosNode } from '../cluster/chaos-node.ts';
import type { Proof } from '../cluster/proofs.ts';
import { flipBit, truncateMiddle, truncateTail, zeroPage } from '../damage/byte-damage.ts';
import type { Damage } from '../damage/damage.ts';
import { foreignData, restoreBackup, staleState, takeBackup, wipeData, wipeState } from '../damage/folder-damage.ts';
import { deleteSegment, duplicateSegment, pickSegment, staleSegment, swapSegments } from '../damage/segment-damage.ts';
import { beginOnEach, lookUntil, pauseFor, runningNode, startAgain } from './begun.ts';
import type { Chance } from './chance.ts';
import { type BegunFault, defineFault, type FaultContext } from './fault.ts';

/** What a kind of damage works with: all of it stopped. */
interface Site {
  readonly folder: string;
  /** As the folder was some time before. */
  readonly backup: string;
  /** Of another node, copied while that was running: good enough to be refused. */
  readonly other: string;
  readonly random: Chance;
}

const kinds = {
  'bit-flip': ({ folder, random }: Site) => [flipBit(pickSegment(folder, random), random)],
  'zero-page': ({ folder, random }: Site) => [zeroPage(pickSegment(folder, random), random)],
  'truncated-tail': ({ folder, random }: Site) => [truncateTail(pickSegment(folder, random), random)],
  'truncated-middle': ({ folder, random }: Site) => [truncateMiddle(pickSegment(folder, random), random)],
  'deleted-segment': ({ folder, random }: Site) => [deleteSegment(folder, random)],
  'swapped-segments': ({ folder, random }: Site) => swapSegments(folder, random),
  'duplicated-segment': ({ folder, random }: Site) => [duplicateSegment(folder, random)],
  'stale-segment': ({ folder, backup, random }: Site) => [staleSegment(folder, backup, random)],
  'wiped-state': ({ folder }: Site) => [wipeState(folder)],
  'stale-state': ({ folder, backup }: Site) => [staleState(folder, backup)],
  wiped: ({ folder }: Site) => [wipeData(folder)],
  restored: ({ folder, backup }: Site) => [restoreBackup(folder, backup)],
  foreign: ({ folder, other }: Site) => [foreignData(folder, other)],
} satisfies Readonly<Record<string, (site: Site) => readonly Damage[]>>;

type Kind = keyof typeof kinds;
export const damageKinds = Object.keys(kinds) as readonly Kind[];

export const damage = defineFault({
  name: 'damage',
  family: 'damage',
  summary: 'The node is killed, its files are damaged, and it is started again',
  parameters: z.strictObject({
    kind: z.enum(damageKinds as [Kind, ...Kind[]]),
    agedMs: z
      .number()
      .int()
      .min(0)
      .max(60_000)
      .default(2000)
      .describe('how old the old files of the stale and restored kinds are, or for how long the second one of two segments is written to'),
  }),
  describe: (nodes, { kind }) => `damage (${kind}) to the files of ${nodes}`,
  begin: (context, nodes, { kind, agedMs }) => beginOnEach(nodes, (id) => damageNode(context, id, kind, agedMs)),
});

async function damageNode(context: FaultContext, id: number, kind: Kind, agedMs: number): Promise<BegunFault> {
  const node = runningNode(context, id);
  const kept = mkdtempSync(path.join(context.cluster.folder, `damage-${id}-`));
  const backup = path.join(kept, 'older');
  const original = path.join(kept, 'original');
  const withdraw = context.expectEnding(id);
  const heal = async (): Promise<void> => {
    // Whoever refuses has changed nothing; whoever ended otherwise has gone on since, and must not forget.
    if (existsSync(original)) await putBack(node, original);
    startAgain(context, node);
    withdraw();
    rmSync(kept, { recursive: true, force: true });
  };
  try {
    const prepare = preparations[kind];
    if (prepare !== undefined) {
      await prepare(context, node, backup);
      await pauseFor(agedMs, new AbortController().signal);
    }
    await node.kill();
    takeBackup(node.dir, original);
    const other = context.cluster.nodes.find((each) => each.id !== id);
    const done = kinds[kind]({ folder: node.dir, backup, other: other?.dir ?? '', random: context.random });
    startAgain(context, node);
    const prove = async (ending: AbortSignal): Promise<readonly Proof[]> => [
      ...done.map((each) => proveDamage(node, each)),
      await proveDecided(node, ending),
    ];
    return { prove, heal };
  } catch (error) {
    await heal();
    throw error;
  }
}

const refusals: readonly (number | null)[] = [
  exitCodes.DATA_CORRUPT,
  exitCodes.DATA_FOREIGN,
  exitCodes.DATA_VERSION,
  exitCodes.WRONG_CLUSTER,
].map(({ code }) => code);

/** `locked-out`: it runs, and its peers take no part in what it does. */
type Decision = 'ready' | 'refused' | 'ended' | 'locked-out';

async function putBack(node: ChaosNode, original: string): Promise<void> {
  const decision = await decisionOf(node);
  if (decision === 'locked-out') await node.kill();
  if (decision === 'locked-out' || decision === 'refused') restoreBackup(node.dir, original);
}

/** Written by a broker whose peers know it with another data folder than it has. */
const lockedOut = /"msg":"peers: refused"/;
/** Every process writes it, early. */
const startLine = '"msg":"journal: recovered"';

/** Waits for it, within bounds; undefined: it has not started yet. */
const decisionOf = (node: ChaosNode, ending = new AbortController().signal): Promise<Decision | undefined> =>
  lookUntil(ending, async () => {
    if (node.state() === 'down') return refusals.includes(node.endings().at(-1)?.code ?? null) ? 'refused' : 'ended';
    if (await node.isReady()) return 'ready';
    return isLockedOut(node) ? 'locked-out' : undefined;
  });

/** Of the process that runs now: what the log says behind the last start. */
function isLockedOut({ logFile }: ChaosNode): boolean {
  const text = readFileSync(logFile, 'utf8');
  return lockedOut.test(text.slice(text.lastIndexOf(startLine)));
}

/** The broker has started on what it found, or has refused to. */
async function proveDecided(node: ChaosNode, ending: AbortSignal): Promise<Proof> {
  const decision = await decisionOf(node, ending);
  const evidence =
    decision === undefined
      ? 'it is starting'
      : decision === 'ready'
        ? 'it is ready'
        : decision === 'locked-out'
          ? 'its peers refuse it: they know it with another data folder'
          : `it ${decision}, exit code ${node.endings().at(-1)?.code}`;
  return { claim: `node ${node.id} has read its files and decided`, holds: decision !== undefined && decision !== 'ended', evidence };
}

/** Run some time before the damage: the older copy it needs, or a second segment. A short run fills none, but a start begins another one. */
type Preparation = (context: FaultContext, node: ChaosNode, backup: string) => Promise<void>;

/** Of a running node: a segment that is written to is as good while it grows. */
const copyJournal: Preparation = async (_, node, backup) => takeBackup(path.join(node.dir, 'journal'), path.join(backup, 'journal'));

/** The rest is whole only when nobody has it open. */
const copyStopped: Preparation = async (context, node, backup) => {
  await node.kill();
  takeBackup(node.dir, backup);
  startAgain(context, node);
};

const beginSegment: Preparation = async (context, node) => {
  await node.kill();
  startAgain(context, node);
};

const preparations: Partial<Readonly<Record<Kind, Preparation>>> = {
  'stale-segment': copyJournal,
  'stale-state': copyStopped,
  restored: copyStopped,
  'swapped-segments': beginSegment,
  'duplicated-segment': beginSegment,
};

export function proveDamage({ id }: ChaosNode, { kind, path: file, position, before, after }: Damage): Proof {
  const where = position === undefined ? path.basename(file) : `${path.basename(file)} at ${position}`;
  return { claim: `files of node ${id} are damaged (${kind})`, holds: before !== after, evidence: `${where}: ${before}, now ${after}` };
}
