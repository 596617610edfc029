/** A host whose journal has no space: what it leaves for later, and that it goes on. */
import type { RepairableJournal } from '@balsa/node/storage/journal/open.ts';
import { JournalFull } from '@balsa/node/storage/journal/vocabulary.ts';
import { expect, test } from 'vitest';
import { bytes, group } from './host-cluster.ts';
import { generation, startLoneHost } from './lone-host.ts';

const membership = { voters: [1, 2, 3], learners: [], outgoing: [], learnersNext: [], autoLeave: false };

/** A host over a journal that refuses upkeep, or has no room for entries, when the test says so. */
async function startOnSmallDisk() {
  const disk = { refusesUpkeep: false, refused: 0, full: false };
  const dropped: string[] = [];
  const journalOf = (journal: RepairableJournal): RepairableJournal => ({
    ...journal,
    append: (frames, options) => {
      if (!disk.refusesUpkeep || options?.purpose !== 'upkeep') return journal.append(frames, options);
      disk.refused += 1;
      return Promise.reject(new JournalFull('no room'));
    },
    stats: () => (disk.full ? { ...journal.stats(), full: true, roomBytes: 0 } : journal.stats()),
  });
  const lone = await startLoneHost({
    journalOf,
    limits: { checkpointCommands: 2 },
    observer: { onDropped: (what) => dropped.push(what) },
  });
  return { ...lone, disk, dropped };
}

test('the log is cut later, when there is space again', async () => {
  const { host, machine, journal, disk, fatal, hear, settle, lead } = await startOnSmallDisk();
  const term = await lead();
  machine.keepFrom = 100;
  const logStart = (): number => journal.snapshot({ group, generation })?.index ?? 0;
  disk.refusesUpkeep = true;
  for (const text of ['a', 'b']) {
    void host.propose(group, bytes(text), { durability: 'quorum', timeoutMs: 1000 });
    await settle();
    hear('append-response', 2, term, { index: host.status(group)?.last });
    await settle();
  }
  expect({ refused: disk.refused, start: logStart(), fatal }).toEqual({ refused: 1, start: 0, fatal: [] });
  disk.refusesUpkeep = false;
  await host.compact(group);
  expect(logStart()).toBe(3);
});

test('a snapshot that has no room is dropped; votes go on', async () => {
  const { host, disk, dropped, fatal, hear, settle, said } = await startOnSmallDisk();
  disk.full = true;
  hear('snapshot-request', 2, 5, { snapshot: { index: 9, term: 4, membership, state: bytes('["x"]') } });
  await settle();
  expect(dropped).toEqual(['disk-full']);
  hear('vote-request', 3, 6, { index: 20, indexTerm: 5 });
  await settle();
  expect(said()).toContainEqual(['vote-response', 3]);
  disk.full = false;
  hear('snapshot-request', 2, 6, { snapshot: { index: 9, term: 4, membership, state: bytes('["x"]') } });
  await settle();
  expect(host.status(group)?.commit).toBe(9);
  expect(fatal).toEqual([]);
});
