/** What the shim of the disk remembers, and the way of every operation through it. */
import path from 'node:path';
import { type Disk, DiskError } from '../ports/disk.ts';
import type { DiskOperation } from './command.ts';
import type { WaitingPoint } from './failpoint-names.ts';
import type { Failpoints } from './failpoints.ts';
import { countStrike, type FaultBoard, faultsNamed } from './fault-board.ts';
import type { NameLog } from './name-log.ts';
import type { Power } from './power.ts';
import type { TrackedFile } from './undo-log.ts';

export interface ShimState {
  readonly inner: Disk;
  readonly board: FaultBoard;
  readonly points: Failpoints;
  readonly power: Power;
  /** By path: files that were opened. */
  readonly files: Map<string, TrackedFile>;
  readonly names: NameLog;
  /** Files that were synced early because the memory was full. */
  writeBacks: number;
}

export interface PointsAround {
  readonly before: WaitingPoint;
  readonly after: WaitingPoint;
}

const isSegment = (file: string): boolean => file.endsWith('.segment');

export function pointsOfName(file: string, action: 'naming' | 'removal'): PointsAround | undefined {
  return isSegment(file) ? { before: `segment.before-${action}`, after: `segment.after-${action}` } : undefined;
}

export function pointsOfFile(file: string, action: 'write' | 'sync'): PointsAround | undefined {
  const subject = isSegment(file) ? 'journal' : path.basename(file) === 'watermark' ? 'watermark' : undefined;
  return subject === undefined ? undefined : { before: `${subject}.before-${action}`, after: `${subject}.after-${action}` };
}

const pointError = (message: string): DiskError => new DiskError('EIO', message);

/** One operation: failpoint, waiting, then `action` while there is power, and the failpoint behind it if it succeeded. */
export async function perform<T>(
  shim: ShimState,
  operation: DiskOperation,
  file: string,
  action: () => Promise<T>,
  around?: PointsAround,
): Promise<T> {
  if (around !== undefined) await shim.points.wait(around.before, pointError);
  await delay(shim, operation, file);
  const result = await shim.power.device(action);
  if (around !== undefined) await shim.points.wait(around.after, pointError);
  return result;
}

async function delay({ board }: ShimState, operation: DiskOperation, file: string): Promise<void> {
  if (board.active.size === 0) return;
  for (const fault of slowing(board, 'slow-disk', operation, file)) {
    const { delayMs } = fault.command;
    const ms = typeof delayMs === 'number' ? delayMs : delayMs[0] + board.random.below(delayMs[1] - delayMs[0] + 1);
    countStrike(board, fault);
    await new Promise<void>((resolve) => board.clock.after(ms, resolve));
  }
  for (let [fault] = slowing(board, 'stall', operation, file); fault !== undefined; [fault] = slowing(board, 'stall', operation, file)) {
    countStrike(board, fault);
    await fault.ended;
  }
}

/** The faults that slow this operation. */
function slowing<Name extends 'slow-disk' | 'stall'>(board: FaultBoard, name: Name, operation: DiskOperation, file: string) {
  return faultsNamed(board, name).filter(({ command }) => file.includes(command.files) && command.operations.includes(operation));
}
