/**
 * What durable pages held before their last versions: a disk may fall back to one of them.
 * Only the latest are kept, over the whole disk.
 */
import type { MemoryFile } from '@balsa/node/storage/disk/memory-files.ts';
import { pagesOf } from '@balsa/node/storage/disk/memory-image.ts';

/** An earlier version of a durable page. */
export interface PageVersion {
  readonly inode: number;
  readonly number: number;
  /** Undefined: zeros. */
  readonly page: Uint8Array | undefined;
}

export interface PageHistory {
  readonly versions: PageVersion[];
  /** Place in `versions` of the next one. */
  next: number;
}

const versionsMax = 256;

export const createPageHistory = (): PageHistory => ({ versions: [], next: 0 });

/** Durable versions of the pages that a sync of changes up to number `through` is about to replace. */
export function versionsBefore(file: MemoryFile, through: number): readonly PageVersion[] {
  const versions: PageVersion[] = [];
  for (const { order, operation } of file.pending) {
    if (order > through) break;
    for (const number of pagesOf(operation)) versions.push({ inode: file.inode, number, page: file.durable.pages.get(number) });
  }
  return versions;
}

export function remember(history: PageHistory, versions: readonly PageVersion[]): void {
  for (const version of versions.slice(-versionsMax)) {
    history.versions[history.next] = version;
    history.next = (history.next + 1) % versionsMax;
  }
}
