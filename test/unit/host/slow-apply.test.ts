/** What happens while committed entries are still being read from the disk. */
import { asRaftIndex, asTerm } from '@balsa/node/core/ids.ts';
import { simpleMembership } from '@balsa/node/host/state.ts';
import type { RepairableJournal } from '@balsa/node/storage/journal/open.ts';
import { expect, test } from 'vitest';
import { bytes, group } from './host-cluster.ts';
import { commands, startLoneHost } from './lone-host.ts';

/** A journal whose reads wait for `release`. */
function slowReads() {
  let release: () => void = () => undefined;
  let held = Promise.resolve();
  const journalOf = (journal: RepairableJournal): RepairableJournal => ({
    ...journal,
    read: (...what) => {
      const content = journal.read(...what);
      return held.then(() => content);
    },
  });
  const hold = (): void => {
    held = new Promise((resolve) => {
      release = resolve;
    });
  };
  return { journalOf, hold, release: () => release() };
}

test('a confirmed read waits until its index is applied', async () => {
  const { journalOf, hold, release } = slowReads();
  const { host, machine, hear, settle, lead } = await startLoneHost({ journalOf, cacheBytesMax: 0 });
  const term = await lead();
  const seen: (readonly string[])[] = [];
  void host.propose(group, bytes('written'), { durability: 'quorum', timeoutMs: 1000 });
  await settle();
  hold();
  hear('append-response', 2, term, { index: 2 });
  await settle();
  expect(host.status(group)).toMatchObject({ commit: 2, applied: 1 });
  void host.confirmRead(group, 1000).then(() => seen.push([...machine.items()]));
  await settle();
  hear('heartbeat-response', 2, term, { readRound: 1 });
  await settle();
  expect(seen).toEqual([]);
  release();
  await settle();
  expect(seen).toEqual([['written']]);
});

test('entries that were read before a snapshot replaced the machine are not applied to it', async () => {
  const { journalOf, hold, release } = slowReads();
  const { host, machine, hear, settle, fatal } = await startLoneHost({ journalOf, cacheBytesMax: 0 });
  hear('append-request', 2, 1, { entries: commands(0, 1, 'a', 'b', 'c') });
  await settle();
  hold();
  hear('append-request', 2, 1, { index: 3, indexTerm: 1, commit: 3 });
  await settle();
  expect(machine.items()).toEqual([]);
  const state = bytes(JSON.stringify(['a', 'b', 'c', 'd', 'e']));
  const membership = simpleMembership(host.status(group)!.membership.voters);
  hear('snapshot-request', 2, 1, { snapshot: { index: asRaftIndex(5), term: asTerm(1), membership, state } });
  await settle();
  release();
  await settle();
  expect(machine.items()).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(host.status(group)).toMatchObject({ applied: 5 });
  expect(fatal).toEqual([]);
});
