/** A simulated disk in a world of its own, with what tests do with it. */
import type { DiskFile } from '@balsa/node/ports/disk.ts';
import type { DiskFault } from '../../sim/world/disk/disk-fault.ts';
import { calmProfile, type DiskProfile } from '../../sim/world/disk/disk-profile.ts';
import { createSimDisk, type SimDisk, type SimDiskOptions } from '../../sim/world/disk/sim-disk.ts';
import { createStream } from '../../sim/world/random-streams.ts';
import { createVirtualClock, type VirtualClock } from '../../sim/world/virtual-clock.ts';

export interface DiskWorld {
  readonly clock: VirtualClock;
  readonly disk: SimDisk;
  readonly faults: DiskFault[];
  /** Waits in virtual time. */
  readonly settle: <T>(promise: Promise<T>) => Promise<T>;
}

const limitMs = 60_000;

export function createDiskWorld(
  profile: Partial<DiskProfile> = {},
  seed: number | string = 1,
  options: Pick<SimDiskOptions, 'mayHappen'> = {},
): DiskWorld {
  const clock = createVirtualClock();
  const faults: DiskFault[] = [];
  const disk = createSimDisk({
    ...options,
    clock,
    random: createStream(`${seed}/disk`),
    profile: { ...calmProfile(), ...profile },
    onFault: (fault) => faults.push(fault),
  });
  return { clock, disk, faults, settle: (promise) => clock.settle('a disk operation', promise, limitMs) };
}

export const bytes = (text: string): Uint8Array => Buffer.from(text);
export const pageOf = (letter: string): Uint8Array => Buffer.alloc(4096, letter);

/** A file whose name and pages (one letter each) are durable. */
export async function durableFile({ disk, settle }: DiskWorld, path: string, letters: string): Promise<DiskFile> {
  await settle(disk.makeFolder('/d'));
  const file = await settle(disk.openFile(path, 'create'));
  await settle(file.write(0, letters.split('').map(pageOf)));
  await settle(file.datasync());
  await settle(disk.syncFolder('/d'));
  return file;
}

/** First byte of each page, as letters; '.' for zeros, and '#' for a page that is not of one letter. */
export function lettersOf(disk: SimDisk, path: string): string {
  const content = disk.bytesOf(path);
  let letters = '';
  for (let at = 0; at < content.length; at += 4096) {
    const page = content.subarray(at, at + 4096);
    const [first = 0] = page;
    letters += page.every((byte) => byte === first) ? (first === 0 ? '.' : String.fromCharCode(first)) : '#';
  }
  return letters;
}
