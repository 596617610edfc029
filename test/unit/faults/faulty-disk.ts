/** The shim over real files in a folder of its own, with a clock that the test moves and seeded chance. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type LastingCommand, lastingCommand, type Loss, type Torn } from '@balsa/node/faults/command.ts';
import { createDiskShim, type DiskShim, type LostFiles } from '@balsa/node/faults/disk-shim.ts';
import { createFailpoints, type Failpoints } from '@balsa/node/faults/failpoints.ts';
import { type ActiveFault, addFault, createFaultBoard, type FaultBoard } from '@balsa/node/faults/fault-board.ts';
import { createPower, type Power } from '@balsa/node/faults/power.ts';
import type { Disk, DiskFile } from '@balsa/node/ports/disk.ts';
import { nodeDisk } from '@balsa/node/storage/disk/node-disk.ts';
import { createStream } from '../../sim/world/random-streams.ts';
import { createManualClock, type ManualClock } from '../transport/manual-clock.ts';

export interface FaultyDisk {
  readonly folder: string;
  readonly clock: ManualClock;
  readonly board: FaultBoard;
  readonly power: Power;
  readonly points: Failpoints;
  readonly shim: DiskShim;
  readonly disk: Disk;
  /** How the process would have ended. */
  readonly ends: ('kill' | Loss)[];
  /** A command as it comes over the channel, defaults left out. */
  readonly arm: (command: Readonly<Record<string, unknown>>) => ActiveFault;
  readonly path: (name: string) => string;
  readonly create: (name: string, content?: string) => Promise<DiskFile>;
  /** What the operating system has, whatever the shim says. */
  readonly onDisk: (name: string) => string;
  readonly failPower: (torn?: Torn) => Promise<LostFiles>;
  /** Closes every file, and removes the folder. */
  readonly clean: () => Promise<void>;
}

export const parseLasting = (command: Readonly<Record<string, unknown>>): LastingCommand => lastingCommand.parse(command);

export function createFaultyDisk(seed = 1, inner: Disk = nodeDisk): FaultyDisk {
  const folder = mkdtempSync(path.join(tmpdir(), 'balsa-faults-'));
  const clock = createManualClock();
  const board = createFaultBoard(clock, createStream(`faults/${seed}`));
  const power = createPower(clock);
  const ends: ('kill' | Loss)[] = [];
  const points = createFailpoints(board, { kill: () => ends.push('kill'), losePower: (loss) => ends.push(loss) });
  const opened: DiskFile[] = [];
  const noting: Disk = {
    ...inner,
    openFile: async (file, mode) => {
      const handle = await inner.openFile(file, mode);
      opened.push(handle);
      return handle;
    },
  };
  const shim = createDiskShim(noting, { board, points, power });
  const pathOf = (name: string): string => path.join(folder, name);
  return {
    folder,
    clock,
    board,
    power,
    points,
    shim,
    disk: shim.disk,
    ends,
    arm: (command) => addFault(board, parseLasting(command)),
    path: pathOf,
    create: async (name, content = '') => {
      const file = await shim.disk.openFile(pathOf(name), 'create');
      if (content !== '') await file.write(0, [Buffer.from(content)]);
      return file;
    },
    onDisk: (name) => readFileSync(pathOf(name), 'utf8'),
    failPower: async (torn = false) => {
      await power.switchOff(1);
      return shim.rollBack(torn);
    },
    clean: async () => {
      // Some were closed by the test.
      await Promise.allSettled(opened.map((file) => file.close()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Whether a promise has settled, once everything that is ready has run. */
export async function isPending(work: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void work.then(
    () => (settled = true),
    () => (settled = true),
  );
  // Real files need real turns of the loop.
  for (let turn = 0; turn < 50; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
  return !settled;
}
