/** An open file of a simulated disk, with the faults of its profile. */
import { DiskError, type DiskFile } from '@balsa/node/ports/disk.ts';
import { changeFile, forgetFile, growth, type MemoryFile, syncFile, usedBytes } from '@balsa/node/storage/disk/memory-files.ts';
import { type DataOperation, pageBytes, readImage, setPage } from '@balsa/node/storage/disk/memory-image.ts';
import { complete, createLane, type Lane, never } from './completion.ts';
import { overwritePage } from './damage.ts';
import { type PageVersion, remember, versionsBefore } from './page-history.ts';
import { latencyMs, type SimState, strikes } from './sim-state.ts';

export function simFile(state: SimState, path: string, file: MemoryFile): DiskFile {
  const lane = laneOf(state, file);
  const change = (operation: DataOperation): Promise<void> => {
    if (state.isDead) return never();
    const error = applyChange(state, path, file, operation);
    return complete(state, lane, latencyMs(state, 'write', path), () => {
      if (error !== undefined) throw error;
    });
  };
  return {
    size: () => (state.isDead ? never() : Promise.resolve(file.current.size)),
    read: (position, length) => (state.isDead ? never() : readFile(state, path, file, position, length)),
    write: (position, parts) => change({ op: 'write', position, bytes: Buffer.concat(parts) }),
    preallocate: (bytes) => change({ op: 'resize', bytes }),
    truncate: (bytes) => change({ op: 'resize', bytes }),
    datasync: () => (state.isDead ? never() : sync(state, lane, path, file)),
    close: () => (state.isDead ? never() : Promise.resolve()),
  };
}

function laneOf(state: SimState, file: MemoryFile): Lane {
  const lane = state.lanes.get(file.inode) ?? createLane();
  state.lanes.set(file.inode, lane);
  return lane;
}

/** Reads wait for no write: they see what was written by the time of the call. */
function readFile(state: SimState, path: string, file: MemoryFile, position: number, length: number): Promise<Uint8Array> {
  const bytes = readImage(file.current, position, length);
  const fails = strikes(state, 'read-error', state.profile.readErrorPerMillion);
  if (fails) state.onFault({ kind: 'read-error', path, position, bytes: bytes.length });
  return complete(state, createLane(), latencyMs(state, 'read', path), () => {
    if (fails) throw new DiskError('EIO', `${path}: read error at ${position}`);
    return bytes;
  });
}

/** Changes the file as far as its luck goes; returns the error that ended it, if any. */
function applyChange(state: SimState, path: string, file: MemoryFile, operation: DataOperation): DiskError | undefined {
  const { profile } = state;
  const isWrite = operation.op === 'write';
  const position = isWrite ? operation.position : file.current.size;
  const grows = growth(file, operation);
  const missing = grows > 0 ? usedBytes(state.files) + grows - profile.capacityBytes : 0;
  const failure = (kind: 'no-space' | 'write-error', code: string, lost: number): DiskError => {
    const bytes = profile.shortWrites ? lost : lengthOf(operation, position);
    const part = shortened(operation, position, bytes);
    if (part !== undefined) changeFile(state.files, file, part);
    state.onFault({ kind, path, position, bytes });
    return new DiskError(code, `${path}: ${kind} at ${position}`);
  };
  if (missing > 0) return failure('no-space', 'ENOSPC', missing);
  const drawn = (): number => 1 + state.random.below(Math.max(1, lengthOf(operation, position)));
  if (isWrite && strikes(state, 'no-space', profile.noSpacePerMillion)) return failure('no-space', 'ENOSPC', drawn());
  if (strikes(state, 'write-error', profile.writeErrorPerMillion)) return failure('write-error', 'EIO', drawn());
  changeFile(state.files, file, operation);
  return undefined;
}

/** Bytes that an operation writes or adds. */
const lengthOf = (operation: DataOperation, position: number): number =>
  operation.op === 'write' ? operation.bytes.length : Math.max(0, operation.bytes - position);

/** An operation without its last `missing` bytes; undefined if nothing is left. */
function shortened(operation: DataOperation, position: number, missing: number): DataOperation | undefined {
  const left = lengthOf(operation, position) - missing;
  if (left <= 0) return undefined;
  if (operation.op === 'resize') return { op: 'resize', bytes: position + left };
  return { ...operation, bytes: operation.bytes.subarray(0, left) };
}

/** Covers what was written by the time of the call; takes effect when it ends. */
function sync(state: SimState, lane: Lane, path: string, file: MemoryFile): Promise<void> {
  const through = state.files.order;
  const fails = strikes(state, 'sync-error', state.profile.syncErrorPerMillion);
  return complete(state, lane, latencyMs(state, 'sync', path), () => {
    if (fails) {
      const bytes = forgetFile(file, through).reduce((sum, operation) => sum + (operation.op === 'write' ? operation.bytes.length : 0), 0);
      state.onFault({ kind: 'sync-error', path, position: 0, bytes });
      throw new DiskError('EIO', `${path}: sync failed`);
    }
    const before = versionsBefore(file, through);
    syncFile(file, through);
    remember(state.history, before);
    misdirect(state, path, file, before);
  });
}

/** One of the pages just synced may have landed elsewhere: its own place stays as it was, though the cache has the new bytes. */
function misdirect(state: SimState, path: string, file: MemoryFile, synced: readonly PageVersion[]): void {
  const pages = Math.ceil(file.durable.size / pageBytes);
  if (synced.length === 0 || pages < 2 || !strikes(state, 'misdirected-write', state.profile.misdirectedPerMillion)) return;
  const victim = synced[state.random.below(synced.length)];
  if (victim === undefined) return;
  const page = file.durable.pages.get(victim.number);
  const place = (victim.number + 1 + state.random.below(pages - 1)) % pages;
  setPage(file.durable, victim.number, victim.page);
  overwritePage(file, place, page);
  const detail = `page of ${victim.number * pageBytes}`;
  state.onFault({ kind: 'misdirected-write', path, position: place * pageBytes, bytes: pageBytes, detail });
}
