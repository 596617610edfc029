/**
 * The data folder of a node: identity and lock, the journal (the truth), the state store
 * (derived: if it is damaged it is thrown away and made again from the journal).
 */
import path from 'node:path';
import type { Broker } from '../broker/broker.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../ports/clock.ts';
import type { Disk } from '../ports/disk.ts';
import type { Random } from '../ports/random.ts';
import type { StateStore } from '../ports/state-store.ts';
import { StateStoreError } from '../ports/state-store.ts';
import type { DataIdentity } from '../storage/journal/identity.ts';
import { openDataFolder, saveClusterId, saveJournalBegun } from '../storage/journal/identity.ts';
import { openJournal, type RepairableJournal } from '../storage/journal/open.ts';
import type { JournalEvent } from '../storage/journal/options.ts';
import { journalDefaults } from '../storage/journal/options.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface Storage {
  readonly identity: DataIdentity;
  readonly journal: RepairableJournal;
  readonly stateStore: StateStore;
  readonly saveClusterId: (clusterId: string) => Promise<void>;
  readonly freeBytes: () => Promise<number>;
  readonly close: () => Promise<void>;
}

/** Where state stores come from; a port, as a RocksDB folder cannot be simulated. */
export interface StateFolders {
  readonly open: (folder: string) => Promise<StateStore>;
  readonly discard: (folder: string) => Promise<void>;
}

export interface StorageOptions {
  readonly config: Pick<Config, 'node' | 'data' | 'journal'>;
  readonly disk: Disk;
  readonly stateFolders: StateFolders;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly onJournalEvent: (event: JournalEvent) => void;
  readonly onFatal: (error: unknown) => void;
}

const storeIdBytes = 16;

/** Where the state store is, below a data folder. */
export const stateFolderOf = (dataFolder: string): string => path.join(dataFolder, 'state');

export async function openStorage(options: StorageOptions): Promise<Storage> {
  const { config, disk, random } = options;
  const folder = path.resolve(config.data.dir);
  const dataFolder = await openDataFolder(disk, folder, { nodeId: config.node.id, newStoreId: () => random.hex(storeIdBytes) });
  try {
    const journal = await openNodeJournal(options, path.join(folder, 'journal'), dataFolder.identity);
    if (!dataFolder.identity.journalBegun) await saveJournalBegun(disk, folder);
    const stateStore = await openOrRebuild(stateFolderOf(folder), options);
    return {
      identity: dataFolder.identity,
      journal,
      stateStore,
      saveClusterId: async (clusterId) => {
        await saveClusterId(disk, folder, clusterId);
      },
      freeBytes: () => disk.freeBytes(folder),
      close: async () => {
        await journal.close();
        await stateStore.flush();
        await stateStore.close();
        await dataFolder.release();
      },
    };
  } catch (error) {
    await dataFolder.release();
    throw error;
  }
}

function openNodeJournal(
  { config, disk, clock, onFatal, onJournalEvent }: StorageOptions,
  folder: string,
  { storeId, journalBegun }: DataIdentity,
): Promise<RepairableJournal> {
  const { segmentBytes, cacheBytes, fullFreeBytesMin } = config.journal;
  return openJournal({
    disk,
    folder,
    storeId,
    begun: journalBegun,
    segmentBytes,
    cacheBytesMax: cacheBytes,
    fullFreeBytesMin,
    batchBytesMax: Math.min(journalDefaults.batchBytesMax, segmentBytes / 2),
    reserveBytes: Math.min(journalDefaults.reserveBytes, segmentBytes / 4),
    onFatal,
    onEvent: onJournalEvent,
    now: clock.monotonicMs,
    after: clock.after,
  });
}

async function openOrRebuild(folder: string, { stateFolders, log }: StorageOptions): Promise<StateStore> {
  try {
    return await stateFolders.open(folder);
  } catch (error) {
    if (!(error instanceof StateStoreError) || error.code === 'locked') throw error;
    log.warn({ err: error }, 'the state store cannot be used; it is made again from the journal');
    await stateFolders.discard(folder);
    return stateFolders.open(folder);
  }
}

/** Deletes what the journal no longer needs, now and then; the returned function ends that. */
export function startReclaim(
  { journal, stateStore }: Storage,
  { config, clock, log }: Pick<StorageOptions, 'config' | 'clock' | 'log'>,
): () => void {
  let running = false;
  return clock.every(config.journal.reclaimMs, () => {
    if (running) return;
    running = true;
    journal
      .reclaim(() => stateStore.flush())
      .catch((error: unknown) => log.error({ err: error }, 'reclaiming journal segments failed'))
      .finally(() => {
        running = false;
      });
  });
}

/** The data folder belongs to one cluster from the moment at which the node learns which. */
export function noteClusterId({ identity, saveClusterId: save }: Storage, broker: Broker, onFatal: (error: unknown) => void): void {
  let noted = identity.clusterId;
  broker.onMetadataChange(() => {
    const clusterId = broker.clusterId();
    if (clusterId === '' || clusterId === noted) return;
    noted = clusterId;
    save(clusterId).catch(onFatal);
  });
}
