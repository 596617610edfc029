/**
 * Whose data folder this is: one small file that ties the folder to a node and a cluster,
 * so that a wrong path or a copied folder is refused before anything is read or written.
 *
 *   File => JSON object in one line, newline, CRC32C of that line in hex, newline
 *
 * The file is replaced as a whole (written aside, synced, renamed, folder synced): after
 * a crash it is the old one or the new one.
 */
import { z } from 'zod';
import { type Disk, DiskError } from '../../ports/disk.ts';
import { checksum } from './checksum.ts';
import { JournalRefused } from './vocabulary.ts';

export const identityName = 'identity';
const lockName = 'lock';
/** Layout of the data folder as a whole. */
export const formatVersion = 1;

const identitySchema = z.object({
  formatVersion: z.number().int(),
  /** Empty until the node has joined a cluster. */
  clusterId: z.string(),
  nodeId: z.number().int(),
  /** Changes whenever the folder begins anew: names this incarnation of the node's data. */
  storeId: z.string().min(1).max(64),
  /** A process has had a journal here, and may have voted in it: one that is gone was lost. */
  journalBegun: z.boolean().default(false),
});
export type DataIdentity = Readonly<z.infer<typeof identitySchema>>;

export interface DataFolder {
  readonly identity: DataIdentity;
  /** The folder was new. */
  readonly created: boolean;
  /** Gives the lock back. */
  readonly release: () => Promise<void>;
}

export interface OpenDataFolder {
  readonly nodeId: number;
  /** The cluster that the node expects to be in, if it is known. */
  readonly clusterId?: string;
  /** Makes the store id of a new folder. */
  readonly newStoreId: () => string;
}

/** Locks the folder and checks, or creates, its identity. Rejects with JournalRefused. */
export async function openDataFolder(disk: Disk, folder: string, expected: OpenDataFolder): Promise<DataFolder> {
  await disk.makeFolder(folder);
  const lock = await takeLock(disk, folder);
  try {
    const found = await readIdentity(disk, folder);
    if (found !== undefined) checkIdentity(folder, found, expected);
    const identity = found ?? {
      formatVersion,
      clusterId: expected.clusterId ?? '',
      nodeId: expected.nodeId,
      storeId: expected.newStoreId(),
      journalBegun: false,
    };
    if (found === undefined) await writeIdentity(disk, folder, identity);
    return { identity, created: found === undefined, release: lock.release };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Notes the cluster that the node has joined. A folder belongs to one cluster for good. */
export async function saveClusterId(disk: Disk, folder: string, clusterId: string): Promise<DataIdentity> {
  const found = await mustRead(disk, folder);
  if (found.clusterId === clusterId) return found;
  if (found.clusterId !== '') throw foreign(`${folder} belongs to cluster ${found.clusterId}, not to ${clusterId}`);
  return saved(disk, folder, { ...found, clusterId });
}

/** Notes that the folder has a journal; to be called before anything is written to it. */
export async function saveJournalBegun(disk: Disk, folder: string): Promise<DataIdentity> {
  const found = await mustRead(disk, folder);
  return found.journalBegun ? found : saved(disk, folder, { ...found, journalBegun: true });
}

async function mustRead(disk: Disk, folder: string): Promise<DataIdentity> {
  const found = await readIdentity(disk, folder);
  if (found === undefined) throw new JournalRefused('DATA_CORRUPT', `${folder}/${identityName} is gone`);
  return found;
}

async function saved(disk: Disk, folder: string, identity: DataIdentity): Promise<DataIdentity> {
  await writeIdentity(disk, folder, identity);
  return identity;
}

async function takeLock(disk: Disk, folder: string): Promise<{ readonly release: () => Promise<void> }> {
  try {
    return await disk.lock(`${folder}/${lockName}`);
  } catch (error) {
    if (!(error instanceof DiskError && error.code === 'ELOCKED')) throw error;
    throw new JournalRefused('DATA_LOCKED', `${folder} is in use by another process. Stop it, or choose another folder.`);
  }
}

const foreign = (message: string): JournalRefused =>
  new JournalRefused('DATA_FOREIGN', `${message}. Nothing was changed; point the node to its own folder.`);

function checkIdentity(folder: string, found: DataIdentity, expected: OpenDataFolder): void {
  if (found.nodeId !== expected.nodeId) throw foreign(`${folder} belongs to node ${found.nodeId}, not to node ${expected.nodeId}`);
  if (expected.clusterId === undefined || found.clusterId === '' || found.clusterId === expected.clusterId) return;
  throw foreign(`${folder} belongs to cluster ${found.clusterId}, not to ${expected.clusterId}`);
}

async function readIdentity(disk: Disk, folder: string): Promise<DataIdentity | undefined> {
  const path = `${folder}/${identityName}`;
  if (!(await disk.exists(path))) {
    await refuseOrphans(disk, folder);
    return undefined;
  }
  const file = await disk.openFile(path, 'read');
  try {
    return parseIdentity(path, Buffer.from(await file.read(0, await file.size())).toString());
  } finally {
    await file.close();
  }
}

/** Data without an identity is not a new folder. */
async function refuseOrphans(disk: Disk, folder: string): Promise<void> {
  const own = (name: string): boolean => name.startsWith(lockName) || name.startsWith(identityName) || name === 'lost+found';
  const strangers = (await disk.list(folder)).filter((name) => !own(name));
  if (strangers.length === 0) return;
  throw new JournalRefused(
    'DATA_CORRUPT',
    `${folder} holds ${strangers.slice(0, 5).join(', ')} but no ${identityName} file; it is not a data folder, or not a whole one`,
  );
}

function parseIdentity(path: string, text: string): DataIdentity {
  const [line = '', sum = ''] = text.split('\n');
  const version = versionOf(line);
  if (sum !== hexChecksum(line) || version === undefined) throw new JournalRefused('DATA_CORRUPT', `${path} is damaged`);
  if (version > formatVersion) {
    throw new JournalRefused('DATA_VERSION', `${path} was written by a newer release (format ${version}, this one knows ${formatVersion})`);
  }
  return identitySchema.parse(JSON.parse(line));
}

function versionOf(line: string): number | undefined {
  try {
    return z.object({ formatVersion: z.number() }).parse(JSON.parse(line)).formatVersion;
  } catch {
    return undefined;
  }
}

const hexChecksum = (line: string): string => checksum(Buffer.from(line)).toString(16).padStart(8, '0');

async function writeIdentity(disk: Disk, folder: string, identity: DataIdentity): Promise<void> {
  const path = `${folder}/${identityName}`;
  const temporary = `${path}.tmp`;
  if (await disk.exists(temporary)) await disk.remove(temporary);
  const line = JSON.stringify(identity);
  const file = await disk.openFile(temporary, 'create');
  try {
    await file.write(0, [Buffer.from(`${line}\n${hexChecksum(line)}\n`)]);
    await file.datasync();
  } finally {
    await file.close();
  }
  await disk.rename(temporary, path);
  await disk.syncFolder(folder);
}
