/**
 * Faults of disks. What could take the last good copy of something acknowledged strikes only
 * where the fault atlas allows it; a node counts as damaged until everything that it keeps was
 * verified again.
 */
import { DiskError } from '@balsa/node/ports/disk.ts';
import { JournalCorrupt } from '@balsa/node/storage/journal/vocabulary.ts';
import type { RunState } from '../run/run-state.ts';
import { type DamageKind, damageKinds, type DiskFault, type DiskFaultKind, harmsDurable } from '../world/disk/disk-fault.ts';
import type { Stream } from '../world/random-streams.ts';
import type { SimNode } from '../world/sim-node.ts';
import { kill, start } from './lifecycle.ts';
import type { Heal } from './network-faults.ts';

/** Faults after which a process may have to end, or to refuse its start. */
const excuses: readonly DiskFaultKind[] = ['read-error', 'write-error', 'sync-error', ...damageKinds];

/** Whatever struck a disk: for the trace, the atlas and the checks. */
export function onDiskFault(run: RunState, id: number, { kind, path, position, bytes }: DiskFault): void {
  run.note(`disk-${kind}`, `${id} ${path} ${position} ${bytes}`);
  const node = run.world.nodes[id - 1];
  if (node === undefined || !excuses.includes(kind)) return;
  run.excused.add(id);
  if (!harmsDurable(kind)) return;
  run.atlas.damaged(id);
  run.damagedInLife.set(id, node.lives);
  run.checks.onDamage(node);
}

export const mayDiskFault = (run: RunState, id: number, kind: DiskFaultKind): boolean => run.atlas.allows(id, kind);

/** Damages the journal while the process is down, or behind its back. */
export function damage(run: RunState, node: SimNode, random: Stream): Heal | undefined {
  const kind: DamageKind = random.pick(damageKinds);
  if (!run.atlas.allows(node.id, kind)) return undefined;
  const isOffline = random.chance(500);
  if (isOffline) kill(run, node);
  const struck = node.disk.damage(kind, (path) => path.startsWith('/data/journal/'));
  if (struck === undefined && !isOffline) return undefined;
  return () => start(run, node);
}

/** Errors that the device gives back, at a rate at which a few strike. */
export function errors(rate: 'syncErrorPerMillion' | 'writeErrorPerMillion' | 'readErrorPerMillion') {
  const perMillion = 30_000;
  return (_run: RunState, node: SimNode): Heal => {
    const { profile } = node.disk;
    profile[rate] = perMillion;
    return () => {
      profile[rate] = 0;
    };
  };
}

/** Hardly any room is left; some of what is written fails halfway. */
export function fill(_run: RunState, node: SimNode, random: Stream): Heal {
  const roomBytesMax = 200_000;
  const { profile } = node.disk;
  profile.capacityBytes = node.disk.usedBytes() + random.below(roomBytesMax);
  profile.shortWrites = random.chance(500);
  return () => {
    profile.capacityBytes = Number.POSITIVE_INFINITY;
  };
}

export function stall(_run: RunState, node: SimNode, random: Stream): Heal {
  const stallMsMax = 5000;
  node.disk.stall(random.below(stallMsMax));
  return () => {};
}

const verifyMs = 700;

/** Tells the atlas of damaged nodes that have become whole: nothing faulty, and every entry verified. */
export function watchRepairs(run: RunState): void {
  run.world.clock.every(verifyMs, () => {
    for (const id of run.atlas.damagedNodes()) {
      const node = run.world.nodes[id - 1];
      if (node !== undefined && node.lives > (run.damagedInLife.get(id) ?? 0))
        void isWhole(node).then((whole) => whole && (run.atlas.repaired(id), run.note('disk-whole', String(id))));
    }
  });
}

/**
 * Only a process that started after the damage proves anything: its start has read the whole journal.
 * What it read must be what the disk has: a page that is newer in the cache hides the damage of the older one.
 */
async function isWhole(node: SimNode): Promise<boolean> {
  const { life } = node;
  if (life === undefined || !node.disk.isSynced((path) => path.endsWith('.segment'))) return false;
  const { host, storage } = life;
  for (const group of host.groups()) {
    const status = host.status(group);
    if (status === undefined || status.faulty) return false;
    const kept = storage.journal.group(status);
    if (kept === undefined || kept.faulty !== undefined) return false;
    try {
      for (let next = kept.first; next <= kept.last; ) {
        const verified = await storage.journal.verify(status, next, kept.last, Number.MAX_SAFE_INTEGER);
        if (verified.next <= next) break;
        next = verified.next;
      }
    } catch (error) {
      if (error instanceof JournalCorrupt || error instanceof DiskError) return false;
      throw error;
    }
  }
  return node.life === life;
}
