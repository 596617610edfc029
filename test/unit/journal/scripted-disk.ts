/** Memory disks whose operations can be counted, held up and failed. */
import type { Disk } from '@balsa/node/ports/disk.ts';
import { createMemoryDisk, type DiskOperation } from '@balsa/node/storage/disk/memory-disk.ts';

/** Enough turns for everything that is under way on a memory disk. */
export const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 200; turn++) await Promise.resolve();
};

/** A disk whose operations can be counted, held up and failed. */
export function scriptedDisk() {
  const operations: DiskOperation[] = [];
  const script: { fail: (operation: DiskOperation) => Error | undefined } = { fail: () => undefined };
  const disk = createMemoryDisk({
    turns: 3,
    onOperation: (operation) => {
      operations.push(operation);
      const error = script.fail(operation);
      if (error !== undefined) throw error;
    },
  });
  const batches = (kind: DiskOperation['kind']): DiskOperation[] =>
    operations.filter((operation) => operation.kind === kind && operation.path.includes('.segment') && (operation.position ?? 512) >= 512);
  return { disk, operations, script, batches };
}

/** A disk whose writes or syncs of segments can be held up. */
export function heldDisk(kind: 'write' | 'datasync') {
  const disk = createMemoryDisk();
  let held: Promise<void> = Promise.resolve();
  const slowDisk: Disk = {
    ...disk,
    openFile: async (path, mode) => {
      const file = await disk.openFile(path, mode);
      const isSegment = path.includes('.segment');
      return {
        ...file,
        write: (position, parts) =>
          isSegment && kind === 'write' ? held.then(() => file.write(position, parts)) : file.write(position, parts),
        datasync: () => (isSegment && kind === 'datasync' ? held.then(file.datasync) : file.datasync()),
      };
    },
  };
  const hold = (): (() => void) => {
    let release: () => void = () => undefined;
    held = new Promise((resolve) => {
      release = resolve;
    });
    return release;
  };
  return { disk, slowDisk, hold };
}
