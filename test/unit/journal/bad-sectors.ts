/** Latent sector errors: places that the device does not give back for a while, although nothing is wrong with what is written there. */
import { DiskError } from '@balsa/node/ports/disk.ts';
import type { DiskOperation, MemoryDisk } from '@balsa/node/storage/disk/memory-disk.ts';

export interface BadSectors {
  /** For the options of a memory disk. */
  readonly onOperation: (operation: DiskOperation) => void;
  /** From now on reads that touch `text` fail, wherever it is written in `folder` by now. */
  readonly strike: (disk: MemoryDisk, folder: string, text: string) => Promise<void>;
  readonly heal: () => void;
  /** Error of such a read. */
  code: string;
  /** Reads that failed. */
  failed: number;
}

export function createBadSectors(): BadSectors {
  let bad: { readonly path: string; readonly at: number }[] = [];
  const sectors: BadSectors = {
    code: 'EIO',
    failed: 0,
    onOperation: ({ kind, path, position = 0, bytes = 0 }) => {
      const hit = kind === 'read' && bad.find((sector) => sector.path === path && sector.at >= position && sector.at < position + bytes);
      if (!hit) return;
      sectors.failed += 1;
      throw new DiskError(sectors.code, `${path}: cannot be read at ${hit.at}`);
    },
    strike: async (disk, folder, text) => {
      for (const name of await disk.list(folder)) {
        const path = `${folder}/${name}`;
        const content = Buffer.from(disk.bytesOf(path));
        for (let at = content.indexOf(text); at !== -1; at = content.indexOf(text, at + 1)) bad.push({ path, at });
      }
      if (bad.length === 0) throw new Error(`${text} is nowhere in ${folder}`);
    },
    heal: () => {
      bad = [];
    },
  };
  return sectors;
}
