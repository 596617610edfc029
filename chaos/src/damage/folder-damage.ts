/** Damage to whole folders of a stopped node: emptied, older than they should be, or somebody else's. */
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { replaceBy } from './content.ts';
import { type Damage, damaged } from './damage.ts';

/** A copy of a stopped node's folder, to bring back later. */
export function takeBackup(dataDir: string, backupDir: string): void {
  replaceBy(dataDir, backupDir);
}

/** Everything is as it was when the backup was made. */
export function restoreBackup(dataDir: string, backupDir: string): Damage {
  return damaged('restored', dataDir, () => replaceBy(backupDir, dataDir));
}

/** An empty folder under the same id. */
export function wipeData(dataDir: string): Damage {
  return damaged('wiped', dataDir, () => {
    for (const name of readdirSync(dataDir)) rmSync(path.join(dataDir, name), { recursive: true });
  });
}

/** The folder of another node under this node's name. */
export function foreignData(dataDir: string, otherDataDir: string): Damage {
  return damaged('foreign', dataDir, () => replaceBy(otherDataDir, dataDir));
}

/** RocksDB without its files; all of it can be made again from the journal. */
export function wipeState(dataDir: string): Damage {
  const folder = stateFolder(dataDir);
  return damaged('wiped', folder, () => rmSync(folder, { recursive: true, force: true }));
}

/** RocksDB as it was when the backup was made, while the journal went on. */
export function staleState(dataDir: string, backupDir: string): Damage {
  return damaged('stale', stateFolder(dataDir), () => replaceBy(stateFolder(backupDir), stateFolder(dataDir)));
}

const stateFolder = (dataDir: string): string => path.join(dataDir, 'state');
