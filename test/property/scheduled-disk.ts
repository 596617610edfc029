/**
 * A disk whose every operation waits until fc.scheduler lets it go on, so that fast-check
 * chooses in which order writes, syncs, renames and opens are done and reported.
 *
 * An operation takes effect when it is let go, on the memory disk underneath, and settles
 * then. Bytes are copied as late as that, as a kernel may: whoever changes them meanwhile is
 * found out. It also notes breaches of what a datasync can promise: it covers only writes that
 * were done when it began, so none may be under way then, nor begin before it ends.
 */
import { type Disk, DiskError, type DiskFile } from '@balsa/node/ports/disk.ts';
import { createMemoryDisk, type DiskOperation, type MemoryDisk } from '@balsa/node/storage/disk/memory-disk.ts';
import type fc from 'fast-check';

/** The nth operation of a kind on segment files or their folder (from 1) is rejected with EIO. */
export interface DiskFault {
  readonly kind: 'write' | 'datasync' | 'rename' | 'sync-folder';
  readonly nth: number;
}

export interface ScheduledDisk {
  readonly disk: Disk;
  readonly memory: MemoryDisk;
  /** From now on operations wait for the scheduler, and faults count. */
  readonly begin: (scheduler: fc.Scheduler, fault: DiskFault | undefined) => void;
  /** Where the fault struck: a file that is being prepared under a temporary name (or a folder), or one in use. */
  readonly failedAt: () => 'aside' | 'in use' | undefined;
  /** What broke the rules of datasync. */
  readonly breaches: readonly string[];
}

interface UnderWay {
  writes: number;
  syncs: number;
}

export function createScheduledDisk(): ScheduledDisk {
  const memory = createMemoryDisk();
  const breaches: string[] = [];
  const underWay = new Map<string, UnderWay>();
  let scheduler: fc.Scheduler | undefined;
  let fault: DiskFault | undefined;
  let count = 0;
  let failedAt: 'aside' | 'in use' | undefined;
  /** Names under which files that are in use were opened. */
  const renamed = new Set<string>();

  const isHit = (kind: DiskOperation['kind'], path: string): boolean => {
    if (fault?.kind !== kind || (kind !== 'sync-folder' && !path.includes('.segment'))) return false;
    count++;
    return count === fault.nth;
  };
  const act = async <T>(kind: DiskOperation['kind'], path: string, action: () => Promise<T>): Promise<T> => {
    if (scheduler === undefined) return action();
    const fails = isHit(kind, path);
    await scheduler.schedule(Promise.resolve(), `${kind} ${path}`);
    if (!fails) return action();
    failedAt = renamed.has(path) ? 'in use' : 'aside';
    throw new DiskError('EIO', `${kind} ${path}`);
  };
  const busyOf = (path: string): UnderWay => {
    const known = underWay.get(path) ?? { writes: 0, syncs: 0 };
    underWay.set(path, known);
    return known;
  };
  const fileOf = (path: string, file: DiskFile): DiskFile => ({
    ...file,
    read: (position, length) => act('read', path, () => file.read(position, length)),
    write: (position, parts) => {
      const busy = busyOf(path);
      if (busy.syncs > 0) breaches.push(`write of ${path} at ${position} while it is synced`);
      busy.writes++;
      return act('write', path, () => file.write(position, parts)).finally(() => busy.writes--);
    },
    preallocate: (bytes) => act('resize', path, () => file.preallocate(bytes)),
    truncate: (bytes) => act('resize', path, () => file.truncate(bytes)),
    datasync: () => {
      const busy = busyOf(path);
      if (busy.writes > 0) breaches.push(`sync of ${path} while it is written`);
      busy.syncs++;
      return act('datasync', path, file.datasync).finally(() => busy.syncs--);
    },
  });
  const disk: Disk = {
    ...memory,
    openFile: (path, mode) => act('open', path, async () => fileOf(path, await memory.openFile(path, mode))),
    list: (folder) => act('list', folder, () => memory.list(folder)),
    exists: (path) => act('list', path, () => memory.exists(path)),
    rename: (from, to) =>
      act('rename', to, async () => {
        await memory.rename(from, to);
        renamed.add(from);
      }),
    remove: (path) => act('remove', path, () => memory.remove(path)),
    syncFolder: (folder) => act('sync-folder', folder, () => memory.syncFolder(folder)),
  };
  return {
    disk,
    memory,
    breaches,
    failedAt: () => failedAt,
    begin: (chosen, injected) => {
      scheduler = chosen;
      fault = injected;
    },
  };
}
