/**
 * What a batch must have met at least once: a rare path that no seed takes any more is a path
 * that nothing tests. Names are those of the trace.
 *
 * Each stands with the number of seeds after which it must have happened. They are chosen so
 * that a batch of any seeds misses none by bad luck.
 */
import { faultClasses } from '../nemesis/swarm.ts';
import { damageKinds } from '../world/disk/disk-fault.ts';

export interface Sometimes {
  readonly name: string;
  /** A smaller batch need not have met it. */
  readonly seedsMin: number;
}

/** Smaller batches promise nothing. */
export const seedsMin = 500;
const seedsMinRare = 2000;

const outcomes = (operation: string, ...types: readonly string[]): string[] => types.map((type) => `history-${operation}-${type}`);

const often: readonly string[] = [
  ...faultClasses.map((fault) => `fault-${fault}`),
  // Lives of processes.
  'started',
  'stopped',
  'killed',
  'paused',
  'power-lost',
  'exit-STORAGE_FAILED',
  'start-failed-STORAGE_FAILED',
  'start-failed-DATA_CORRUPT',
  // Raft.
  'role-pre-candidate',
  'role-candidate',
  'role-leader',
  'role-follower',
  'transferred',
  'replicas-set',
  'snapshot-sent',
  'snapshot-installed',
  'repair-begun',
  'repair-ended',
  'scrubbed',
  'dropped-unsynced-bytes',
  'dropped-unknown-group',
  'dropped-disk-full',
  'dropped-faulty',
  // The journal and the disks below it.
  'journal-recovered',
  'journal-torn-tail',
  'journal-corrupt',
  'journal-segment-rolled',
  'journal-segment-removed',
  'journal-frames-moved',
  'journal-watermark-failed',
  'journal-full',
  'journal-unfull',
  'journal-group-faulty',
  'disk-power-loss',
  'disk-sync-error',
  'disk-write-error',
  'disk-read-error',
  'disk-stall',
  ...damageKinds.map((kind) => `disk-${kind}`),
  'disk-whole',
  // The broker.
  'broker-group-opened',
  'broker-group-removed',
  'broker-leadership-returned',
  'broker-registered',
  'broker-registration-failed',
  'broker-trimmed',
  'topic-created',
  'topic-adopted',
  'topic-deleted',
  'out-of-range',
  // Every kind of operation, with every outcome that it can have.
  ...outcomes('send', 'ok', 'fail', 'info'),
  ...outcomes('poll', 'ok', 'fail'),
  ...outcomes('assign', 'ok'),
  ...outcomes('create-topic', 'ok', 'fail', 'info'),
  ...outcomes('delete-topic', 'ok', 'fail', 'info'),
  ...outcomes('describe-topics', 'ok'),
  ...outcomes('start-offset', 'ok', 'fail'),
  ...outcomes('end-offset', 'ok', 'fail'),
  'send-leader-ok',
  'send-quorum-ok',
  'send-quorum-info',
  'drained',
  'verdict-pass',
];

const rare: readonly string[] = ['repair-stalled', ...outcomes('describe-topics', 'fail')];

export const sometimes: readonly Sometimes[] = [
  ...often.map((name) => ({ name, seedsMin })),
  ...rare.map((name) => ({ name, seedsMin: seedsMinRare })),
];

/** Names that a batch of so many seeds should have met and did not. */
export function unreached(
  counts: ReadonlyMap<string, number>,
  seeds: number,
  expected: readonly Sometimes[] = sometimes,
): readonly string[] {
  return expected.filter((each) => seeds >= each.seedsMin && (counts.get(each.name) ?? 0) === 0).map(({ name }) => name);
}
