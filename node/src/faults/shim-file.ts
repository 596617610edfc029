/**
 * One open file of the shim: what is about to be overwritten is remembered first, and
 * operations fail as the fault board says.
 */
import { DiskError, type DiskFile } from '../ports/disk.ts';
import { countStrike, faultsNamed, strike } from './fault-board.ts';
import { perform, pointsOfFile, type ShimState } from './shim-state.ts';
import * as undo from './undo-log.ts';

/** Over all files, and one change more. */
const heldBytesMax = 64 * 1024 * 1024;
/** Of one file. */
const changesMax = 10_000;

export function shimFile(shim: ShimState, file: DiskFile, tracked: undo.TrackedFile): DiskFile {
  const resize = (bytes: number, action: () => Promise<void>): Promise<void> =>
    perform(shim, 'write', tracked.path, () => inTurn(tracked, () => changeSize(shim, file, tracked, bytes, action)));
  return {
    size: () => shim.power.device(() => file.size()),
    read: (position, length) => perform(shim, 'read', tracked.path, () => read(shim, file, tracked, position, length)),
    write: (position, parts) => {
      const work = (): Promise<void> => inTurn(tracked, () => write(shim, file, tracked, position, parts));
      return perform(shim, 'write', tracked.path, work, pointsOfFile(tracked.path, 'write'));
    },
    preallocate: (bytes) => resize(bytes, () => file.preallocate(bytes)),
    truncate: (bytes) => resize(bytes, () => file.truncate(bytes)),
    datasync: () => perform(shim, 'datasync', tracked.path, () => datasync(shim, file, tracked), pointsOfFile(tracked.path, 'sync')),
    close: () => file.close(),
  };
}

/** Changes of a file happen one after the other: each has to know what was there before it. */
function inTurn<T>(tracked: undo.TrackedFile, change: () => Promise<T>): Promise<T> {
  const work = tracked.busy.then(change);
  tracked.busy = work.catch(() => undefined);
  return work;
}

async function read(
  { board }: ShimState,
  file: DiskFile,
  { path }: undo.TrackedFile,
  position: number,
  length: number,
): Promise<Uint8Array> {
  if (strike(board, 'read-error', path) !== undefined) throw new DiskError('EIO', `${path}: injected error of read at ${position}`);
  return file.read(position, length);
}

async function write(
  shim: ShimState,
  file: DiskFile,
  tracked: undo.TrackedFile,
  position: number,
  parts: readonly Uint8Array[],
): Promise<void> {
  const { board } = shim;
  const failed = strike(board, 'write-error', tracked.path);
  if (failed !== undefined) throw new DiskError(failed.code, `${tracked.path}: injected error of write at ${position}`);
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const short = length === 0 ? undefined : strike(board, 'short-write', tracked.path);
  const growth = position + length - (await file.size());
  const done = short === undefined ? Math.max(0, length - takeRoom(shim, tracked.path, growth)) : board.random.below(length);
  await undo.noteWrite(tracked, file, position, done);
  await file.write(position, done === length ? parts : [Buffer.concat(parts).subarray(0, done)]);
  await boundMemory(shim, file, tracked);
  if (done < length) throw new DiskError(short?.code ?? 'ENOSPC', `${tracked.path}: injected short write, ${done} of ${length} bytes`);
}

async function changeSize(
  shim: ShimState,
  file: DiskFile,
  tracked: undo.TrackedFile,
  bytes: number,
  action: () => Promise<void>,
): Promise<void> {
  const failed = strike(shim.board, 'write-error', tracked.path);
  if (failed !== undefined) throw new DiskError(failed.code, `${tracked.path}: injected error of a change of size`);
  const missingBytes = takeRoom(shim, tracked.path, bytes - (await file.size()));
  if (missingBytes > 0) throw new DiskError('ENOSPC', `${tracked.path}: injected lack of ${missingBytes} bytes`);
  await undo.noteResize(tracked, file, bytes);
  await action();
  await boundMemory(shim, file, tracked);
}

/** Takes what files may still grow by; returns the bytes that are not there. */
function takeRoom({ board }: ShimState, path: string, growth: number): number {
  const bytes = Math.max(0, growth);
  let missingBytes = 0;
  for (const fault of faultsNamed(board, 'disk-full').filter(({ command }) => path.includes(command.files))) {
    const missing = Math.max(0, bytes - fault.roomBytes);
    fault.roomBytes -= bytes - missing;
    missingBytes = Math.max(missingBytes, missing);
    if (missing > 0) countStrike(board, fault);
  }
  return missingBytes;
}

async function datasync(shim: ShimState, file: DiskFile, tracked: undo.TrackedFile): Promise<void> {
  const through = tracked.order;
  if (strike(shim.board, 'sync-error', tracked.path) !== undefined) {
    tracked.syncFailed = true;
    throw new DiskError('EIO', `${tracked.path}: injected error of fdatasync`);
  }
  if (strike(shim.board, 'lying-sync', tracked.path) !== undefined) return;
  await file.datasync();
  undo.settleSync(tracked, through);
}

/** Syncs the file early if too much would have to be remembered: a disk may do that at any time. */
async function boundMemory(shim: ShimState, file: DiskFile, tracked: undo.TrackedFile): Promise<void> {
  const heldBytes = [...shim.files.values()].reduce((sum, other) => sum + other.heldBytes, 0);
  if (heldBytes <= heldBytesMax && tracked.undo.length <= changesMax) return;
  if (tracked.syncFailed) throw new DiskError('EIO', `${tracked.path}: an earlier sync failed, and there is too much that is not synced`);
  const through = tracked.order;
  await file.datasync();
  undo.settleSync(tracked, through);
  shim.writeBacks++;
}
