/** The rows of the fault matrix: faults with parameters, and which targets make no sense for them. */
import { catalogue } from '../nemesis/catalogue.ts';
import { damageKinds } from '../nemesis/damage-fault.ts';
import type { Need } from '../nemesis/fault.ts';
import type { Target } from './step.ts';

/** The columns. */
export const matrixTargets = ['leader', 'follower', 'minority', 'majority', 'all'] as const;
export type MatrixTarget = (typeof matrixTargets)[number];

export interface MatrixRow {
  readonly name: string;
  readonly fault: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly config?: Readonly<Record<string, number>>;
  readonly load?: Readonly<Record<string, unknown>>;
  readonly forMs?: number;
  /** Who is struck in this column, if not the column's role alone. */
  readonly targetOf?: (target: MatrixTarget) => Target;
  /** Why this column makes no sense. */
  readonly skip: (target: MatrixTarget) => string | undefined;
}

type RowOptions = Partial<Omit<MatrixRow, 'fault'>>;

function row(fault: string, options: RowOptions = {}): MatrixRow {
  const skip = catalogue.get(fault)?.scope === 'cluster' ? onlyWhole : everywhere;
  return { name: fault, fault, skip, ...options };
}

const everywhere = (): undefined => undefined;
const onlyWhole = (target: MatrixTarget): string | undefined =>
  target === 'all' ? undefined : 'it concerns the whole cluster, whatever the target; see the column all';
const onlyOne = (target: MatrixTarget): string | undefined =>
  target === 'leader' || target === 'follower' ? undefined : 'it takes one node';
const onlyPair = (target: MatrixTarget): string | undefined =>
  target === 'leader' || target === 'follower' ? undefined : 'it takes two nodes, and every pair with a leader is in the first columns';
const goodCopies = (target: MatrixTarget): string | undefined =>
  target === 'majority' || target === 'all'
    ? 'what is destroyed on a majority nobody can give back; helix leaves one good copy'
    : undefined;
const remembers = (target: MatrixTarget): string | undefined =>
  onlyOne(target) === undefined ? undefined : 'several nodes that forget what they have acknowledged are a majority that never heard of it';
const everyPath = (target: MatrixTarget): string | undefined =>
  target === 'all' ? 'with everybody cut off from everybody it is the same as isolate' : undefined;

const chatty = (target: MatrixTarget): string | undefined =>
  onlyOne(target) === undefined ? undefined : 'some of several nodes send too little for the limit to be felt';

const notLast = (target: MatrixTarget): string | undefined =>
  target === 'all' ? 'when the others have ended nobody writes any more, and the last one never comes to it' : undefined;

/** Cold data is read all the time, and little is kept in memory. */
const scrubbing = { 'journal.scrubPassMs': 1000, 'journal.scrubBytesPerSecond': 64 * 1024 * 1024, 'journal.cacheBytes': 1024 * 1024 };

const stale: readonly string[] = ['stale-segment', 'restored', 'foreign'];

/** Can be made again from the journal, so it may be gone everywhere. */
const derived: readonly string[] = ['wiped-state', 'stale-state'];
const skipOf = (kind: string): MatrixRow['skip'] => (derived.includes(kind) ? everywhere : stale.includes(kind) ? remembers : goodCopies);

const damageRows = damageKinds.map((kind) =>
  row('damage', { name: `damage-${kind}`, with: { kind, agedMs: 6000 }, forMs: 5000, skip: skipOf(kind) }),
);

export const matrixRows: readonly MatrixRow[] = [
  row('kill'),
  row('stop'),
  row('restart'),
  row('pause'),
  row('cpu-starve'),
  row('block-loop'),
  row('clock-step'),
  row('crash-at', { name: 'crash-before-write', with: { point: 'journal.before-write' }, skip: notLast }),
  row('crash-at', { name: 'crash-before-sync', with: { point: 'journal.before-sync', how: 'power' }, skip: notLast }),
  row('crash-at', { name: 'crash-after-sync', with: { point: 'journal.after-sync', how: 'power' }, skip: notLast }),
  row('power-loss'),
  row('power-loss', { name: 'power-loss-torn', with: { torn: true, state: 'all' } }),
  row('isolate'),
  row('mute', { skip: everyPath }),
  row('deafen', { skip: everyPath }),
  row('split', {
    name: 'split-halves',
    skip: (target) => (target === 'all' || target === 'majority' ? 'the smaller half is less than that' : undefined),
  }),
  row('split', { name: 'split-one-each', with: { into: 'one-each' }, skip: onlyWhole }),
  row('bridge', { skip: onlyOne }),
  row('ring'),
  row('one-way', { skip: onlyPair, targetOf: (target) => (target === 'leader' ? ['leader', 'follower'] : ['follower', 'leader']) }),
  row('cut-clients'),
  row('delay'),
  row('throttle', { with: { bytesPerSecond: 5000 } }),
  row('clog'),
  row('swizzle-clog', { with: { stepMs: 150 } }),
  row('reset'),
  row('refuse'),
  row('slow-close'),
  row('truncate'),
  row('truncate', { name: 'truncate-requests', with: { direction: 'upstream' } }),
  row('go-away'),
  row('go-away', { name: 'go-away-at-once', with: { code: 'enhance-your-calm' } }),
  row('reply-cut'),
  row('isolate-hard'),
  row('drop-hard', { skip: everyPath }),
  row('reset-hard'),
  row('cut-clients-hard'),
  row('throttle-hard', { with: { bytesPerSecond: 1000 }, skip: chatty }),
  row('slow-disk'),
  row('stall'),
  row('sync-error', { skip: notLast }),
  row('write-error', { skip: notLast }),
  row('read-error', { config: scrubbing }),
  row('short-write'),
  row('disk-full', { forMs: 20_000 }),
  row('lying-sync', { skip: () => 'alone it shows nothing; the scenario lying-disk takes the power away too' }),
  ...damageRows,
  row('bit-flip', { config: scrubbing, skip: goodCopies }),
  row('helix', { forMs: 500 }),
  row('transfer', { with: { everyMs: 500 } }),
  row('move-replica', { skip: onlyOne, forMs: 10_000 }),
  row('recycle', { skip: onlyOne, forMs: 10_000 }),
  row('overload'),
  row('slow-consumer'),
  row('crash-producer', { with: { everyMs: 300 } }),
  row('retry-storm'),
];

export const needOf = ({ fault }: MatrixRow): readonly Need[] => catalogue.get(fault)?.needs ?? [];
