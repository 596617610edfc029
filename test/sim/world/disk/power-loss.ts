/**
 * What a power failure leaves of the operations that no sync has covered. All of it is what
 * the Disk port allows; the modes are those that programs are known to be wrong about.
 */
import type { Random } from '@balsa/node/ports/random.ts';
import type { Keeps, PendingFragment } from '@balsa/node/storage/disk/memory-files.ts';

export const powerLossModes = [
  'lose-all',
  'keep-all',
  /** Each fragment on its own. */
  'subset',
  /** Everything up to some operation, in the order of the whole disk. */
  'prefix',
  /** As much as was written, but for parts of the last write. */
  'torn-last',
  /** Of each file and folder a prefix of its own, so that later ones survive without earlier ones of another file. */
  'reordered',
] as const;
export type PowerLossMode = (typeof powerLossModes)[number];

export interface PowerLoss {
  readonly mode: PowerLossMode;
  /** Unit in which writes fall apart. */
  readonly fragmentBytes: number;
  /** Files that lose nothing, as if the system had written them out in time. Default: none. */
  readonly spares?: (path: string) => boolean;
}

const fragmentSizes = [512, 4096] as const;

export function drawPowerLoss(random: Random): PowerLoss {
  const mode = powerLossModes[random.below(powerLossModes.length)] ?? 'lose-all';
  return { mode, fragmentBytes: fragmentSizes[random.below(fragmentSizes.length)] ?? fragmentSizes[0] };
}

/** Which of the fragments are kept, by their place in `pending`. */
export function keptFragments(mode: PowerLossMode, pending: readonly PendingFragment[], random: Random): readonly boolean[] {
  switch (mode) {
    case 'lose-all':
      return pending.map(() => false);
    case 'keep-all':
      return pending.map(() => true);
    case 'subset': {
      const keptPerMille = 100 + random.below(801);
      return pending.map(() => random.below(1000) < keptPerMille);
    }
    case 'prefix': {
      const limit = drawLimit(pending, random);
      return pending.map(({ order }) => order < limit);
    }
    case 'torn-last':
      return tearLast(pending, random);
    case 'reordered': {
      const owners = Map.groupBy(pending, (fragment) => (fragment.kind === 'data' ? fragment.path : fragment.folder));
      const limits = new Map([...owners].map(([owner, fragments]) => [owner, drawLimit(fragments, random)]));
      return pending.map((fragment) => fragment.order < (limits.get(fragment.kind === 'data' ? fragment.path : fragment.folder) ?? 0));
    }
  }
}

/** Number of the first operation that is lost. */
function drawLimit(pending: readonly PendingFragment[], random: Random): number {
  const orders = [...new Set(pending.map(({ order }) => order))].sort((one, other) => one - other);
  return orders[random.below(orders.length + 1)] ?? Number.POSITIVE_INFINITY;
}

function tearLast(pending: readonly PendingFragment[], random: Random): readonly boolean[] {
  const writes = pending.filter((fragment) => fragment.kind === 'data' && fragment.operation.op === 'write');
  const last = Math.max(0, ...writes.map(({ order }) => order));
  const pieces = writes.filter(({ order }) => order === last).length;
  // One at least is lost, and if there are several, one at least is kept.
  const lost = random.below(Math.max(1, pieces));
  const saved = pieces < 2 ? -1 : (lost + 1 + random.below(pieces - 1)) % pieces;
  let piece = -1;
  return pending.map(({ order }) => {
    if (order !== last) return true;
    piece++;
    return piece === saved || (piece !== lost && random.below(2) === 0);
  });
}

export const keepsOf =
  (kept: readonly boolean[]): Keeps =>
  (_, position) =>
    kept[position] === true;
