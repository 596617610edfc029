/**
 * The Disk port for whole brokers in a simulation: latency in virtual time, faults drawn from a
 * seed, and power failures, over the model of memory-files.ts.
 *
 * Contract
 *  - What an operation changes is visible at once to later ones; its promise settles when its
 *    latency is over, in time of the attached clock. A sync covers what was written by the time
 *    it was called, and takes effect when it ends: until then a power failure may lose it.
 *  - A disk lives as long as a process: `kill` and `powerOff` end it (what is outstanding never
 *    settles, nothing that is called later has an effect) and return the disk that the next
 *    process finds. Profile, chance and history of pages go over to it, locks do not.
 *  - A process kill keeps everything that was written, also what is under way.
 *  - Same seed and same calls at the same times: same results.
 */
import type { Clock } from '@balsa/node/ports/clock.ts';
import { type Disk, DiskError } from '@balsa/node/ports/disk.ts';
import type { Random } from '@balsa/node/ports/random.ts';
import {
  crashFiles,
  createMemoryFiles,
  forgetFolder,
  listFolder,
  lockPath,
  makeFolder,
  mustFind,
  openMemoryFile,
  pathExists,
  type PendingFragment,
  pendingFragments,
  removeFile,
  renameFile,
  syncFolder,
  usedBytes,
} from '@balsa/node/storage/disk/memory-files.ts';
import { readImage } from '@balsa/node/storage/disk/memory-image.ts';
import { complete, createLane, never } from './completion.ts';
import { inflict, isCleanFile, namedFiles } from './damage.ts';
import type { Damage, DamageKind, DiskFault, DiskFaultKind } from './disk-fault.ts';
import { calmProfile, type DiskProfile } from './disk-profile.ts';
import { createPageHistory } from './page-history.ts';
import { drawPowerLoss, keepsOf, keptFragments, type PowerLoss } from './power-loss.ts';
import { simFile } from './sim-file.ts';
import { latencyMs, type SimState, strikes } from './sim-state.ts';

export interface SimDiskOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Default: calm. */
  readonly profile?: DiskProfile;
  /** Every fault that struck, for the log. */
  readonly onFault?: (fault: DiskFault) => void;
  /** Asked before a fault that the profile draws. Default: always. */
  readonly mayHappen?: (kind: DiskFaultKind) => boolean;
}

export interface SimDisk extends Disk {
  readonly profile: DiskProfile;
  /** From now on time is that of `clock`: of the process that begins to use the disk. */
  readonly attach: (clock: Clock) => void;
  /** The disk after a kill -9 of the process. */
  readonly kill: () => SimDisk;
  /** The disk after a power failure; chance fills in what `loss` leaves open. */
  readonly powerOff: (loss?: Partial<PowerLoss>) => SimDisk;
  /** Damages something durable in the files for which `within` holds; undefined if there is nothing to damage in this way. */
  readonly damage: (kind: DamageKind, within?: (path: string) => boolean) => Damage | undefined;
  /** No operation ends within the next `durationMs`. */
  readonly stall: (durationMs: number) => void;
  /** Whether the files for which `within` holds are on the disk as the cache shows them: nothing hides what is damaged there. */
  readonly isSynced: (within: (path: string) => boolean) => boolean;
  /** What a power failure now may keep or lose. */
  readonly pending: (fragmentBytes?: number) => readonly PendingFragment[];
  /** Bytes of a file as they can be read now, to be looked at. */
  readonly bytesOf: (path: string) => Uint8Array;
  readonly usedBytes: () => number;
}

export function createSimDisk(options: SimDiskOptions): SimDisk {
  const { clock, random, profile = calmProfile(), onFault = () => undefined, mayHappen = () => true } = options;
  const fresh = freshProcess();
  return diskOf({ clock, random, profile, onFault, mayHappen, files: createMemoryFiles(), history: createPageHistory(), ...fresh });
}

/** What begins anew with each process. */
const freshProcess = (): Pick<SimState, 'stalledUntilMs' | 'isDead' | 'lanes' | 'names'> => ({
  stalledUntilMs: 0,
  isDead: false,
  lanes: new Map(),
  names: createLane(),
});

function diskOf(state: SimState): SimDisk {
  const { files, profile } = state;
  return {
    ...namesOf(state),
    profile,
    attach: (clock) => {
      state.clock = clock;
      // Another clock counts from elsewhere.
      state.stalledUntilMs = 0;
      for (const lane of [state.names, ...state.lanes.values()]) lane.endsMs = 0;
    },
    kill: () => {
      state.isDead = true;
      return diskOf({ ...state, ...freshProcess(), files: { ...files, locks: new Set() } });
    },
    powerOff: (loss = {}) => powerOff(state, loss),
    damage: (kind, within = () => true) => {
      const damage = inflict(state, kind, within);
      if (damage !== undefined) state.onFault(damage);
      return damage;
    },
    stall: (durationMs) => {
      state.stalledUntilMs = Math.max(state.stalledUntilMs, state.clock.monotonicMs() + durationMs);
      state.onFault({ kind: 'stall', path: '/', position: 0, bytes: 0, detail: `${durationMs} ms` });
    },
    isSynced: (within) => namedFiles(files).every(({ path, file }) => !within(path) || isCleanFile(file)),
    pending: (fragmentBytes = 512) => pendingFragments(files, fragmentBytes),
    bytesOf: (path) => readImage(mustFind(files, path).current, 0, Number.MAX_SAFE_INTEGER),
    usedBytes: () => usedBytes(files),
  };
}

function namesOf(state: SimState): Disk {
  const { files, profile } = state;
  const look = <T>(action: () => T): Promise<T> => act(state, () => 0, action);
  const change = <T>(path: string, action: () => T): Promise<T> => act(state, () => latencyMs(state, 'write', path), action);
  return {
    openFile: (path, mode) => look(() => simFile(state, path, openMemoryFile(files, path, mode))),
    list: (folder) => look(() => listFolder(files, folder)),
    exists: (path) => look(() => pathExists(files, path)),
    makeFolder: (folder) => look(() => makeFolder(files, folder)),
    freeBytes: () => look(() => Math.max(0, profile.capacityBytes - usedBytes(files))),
    lock: (path) => look(() => lockPath(files, path)),
    rename: (from, to) => change(from, () => renameFile(files, from, to)),
    remove: (path) => change(path, () => removeFile(files, path)),
    syncFolder: (folder) => syncNames(state, folder),
  };
}

/** Acts now, and settles after the latency. */
function act<T>(state: SimState, latency: () => number, action: () => T): Promise<T> {
  if (state.isDead) return never();
  const outcome = attempt(action);
  return complete(state, state.names, latency(), outcome);
}

function attempt<T>(action: () => T): () => T {
  try {
    const result = action();
    return () => result;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

function syncNames(state: SimState, path: string): Promise<void> {
  if (state.isDead) return never();
  const through = state.files.order;
  const fails = strikes(state, 'sync-error', state.profile.syncErrorPerMillion);
  return complete(state, state.names, latencyMs(state, 'sync', path), () => {
    if (!fails) return syncFolder(state.files, path, through);
    forgetFolder(state.files, path, through);
    state.onFault({ kind: 'sync-error', path, position: 0, bytes: 0 });
    throw new DiskError('EIO', `${path}: sync failed`);
  });
}

function powerOff(state: SimState, wanted: Partial<PowerLoss>): SimDisk {
  state.isDead = true;
  const { mode, fragmentBytes, spares = () => false } = { ...drawPowerLoss(state.random), ...wanted };
  const pending = pendingFragments(state.files, fragmentBytes);
  const drawn = keptFragments(mode, pending, state.random);
  const kept = pending.map((fragment, i) => drawn[i] === true || (fragment.kind === 'data' && spares(fragment.path)));
  const bytes = pending.reduce((sum, fragment, i) => sum + (kept[i] === true ? 0 : bytesIn(fragment)), 0);
  state.onFault({ kind: 'power-loss', path: '/', position: 0, bytes, detail: `${mode}, in pieces of ${fragmentBytes}` });
  return diskOf({ ...state, ...freshProcess(), files: crashFiles(state.files, keepsOf(kept), fragmentBytes) });
}

const bytesIn = (fragment: PendingFragment): number =>
  fragment.kind === 'data' && fragment.operation.op === 'write' ? fragment.operation.bytes.length : 0;
