/** An append is acknowledged when its sync has ended well: not when it began, not by a second try. */
import { type Disk, DiskError } from '@balsa/node/ports/disk.ts';
import { createMemoryDisk } from '@balsa/node/storage/disk/memory-disk.ts';
import { expect, it } from 'vitest';
import { command, open } from './journal-fixture.ts';
import { heldDisk, scriptedDisk, settle } from './scripted-disk.ts';

it('is not acknowledged while the sync is under way', async () => {
  const { slowDisk, hold } = heldDisk('datasync');
  const { journal } = await open(slowDisk);
  await settle();
  const release = hold();
  let acknowledged = false;
  const appended = journal.append([command(1, 1, 1, 'x')]).then(() => {
    acknowledged = true;
  });
  await settle();
  expect(acknowledged).toBe(false);
  release();
  await appended;
  await journal.close();
});

it('a sync that fails once is final, even if another one would succeed', async () => {
  const { disk, script } = scriptedDisk();
  const { journal, fatal } = await open(disk);
  await settle();
  let failures = 1;
  script.fail = ({ kind, path }) =>
    kind === 'datasync' && path.includes('segment') && failures-- > 0 ? new DiskError('EIO', 'broken') : undefined;
  let acknowledged = false;
  const note = (): void => {
    acknowledged = true;
  };
  void journal.append([command(1, 1, 1, 'x')]).then(note, note);
  await settle();
  expect(fatal.map(({ message }) => message)).toEqual(['broken']);
  expect(acknowledged).toBe(false);
});

it('a batch under way is not acknowledged when the journal has failed in another place', async () => {
  const disk = createMemoryDisk();
  const state = { failsToCreate: false, held: Promise.resolve() };
  const wrapped: Disk = {
    ...disk,
    openFile: async (path, mode) => {
      if (state.failsToCreate && mode === 'create') throw new DiskError('EIO', 'no next segment');
      const file = await disk.openFile(path, mode);
      return { ...file, datasync: () => state.held.then(file.datasync) };
    },
  };
  const { journal, fatal } = await open(wrapped);
  await journal.append([command(1, 1, 1, Buffer.alloc(5000))]);
  await settle();
  let release: () => void = () => undefined;
  state.held = new Promise((resolve) => {
    release = resolve;
  });
  state.failsToCreate = true;
  let acknowledged = false;
  // Does not fit: the journal rolls to the spare, and fails to prepare another one meanwhile.
  void journal.append([command(1, 2, 1, Buffer.alloc(5000))]).then(() => {
    acknowledged = true;
  });
  await settle();
  expect(fatal.map(({ message }) => message)).toEqual(['no next segment']);
  release();
  await settle();
  expect(acknowledged).toBe(false);
});
