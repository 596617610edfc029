/** Nothing that a peer counts on leaves before the disk has it. */
import { expect, test } from 'vitest';
import { bytes, group } from './host-cluster.ts';
import { commands, startLoneHost } from './lone-host.ts';

test('a vote leaves when it is on disk', async () => {
  const { hear, holdDisk, settle, said } = await startLoneHost();
  const release = holdDisk();
  hear('vote-request', 2, 5);
  await settle();
  expect(said()).toEqual([]);
  release();
  await settle();
  expect(said()).toEqual([['vote-response', 2]]);
});

test('entries are acknowledged when they are on disk', async () => {
  const { hear, holdDisk, settle, said } = await startLoneHost();
  const release = holdDisk();
  hear('append-request', 2, 5, { entries: commands(0, 5, 'a', 'b') });
  await settle();
  expect(said()).toEqual([]);
  release();
  await settle();
  expect(said()).toEqual([['append-response', 2]]);
});

test('the leader is one of a majority only when its own disk has the entry', async () => {
  const { host, machine, hear, holdDisk, settle, lead } = await startLoneHost();
  const term = await lead();
  const release = holdDisk();
  const answered: unknown[] = [];
  void host.propose(group, bytes('x'), { durability: 'leader', timeoutMs: 1000 }).then((result) => answered.push(result.durableCopies));
  await settle();
  expect(host.status(group)).toMatchObject({ last: 2, durable: 1, commit: 1 });
  expect(answered).toEqual([]);
  hear('append-response', 2, term, { index: 2 });
  await settle();
  // One follower and a leader whose disk is not done are no majority.
  expect(host.status(group)?.commit).toBe(1);
  expect(machine.items()).toEqual([]);
  release();
  await settle();
  expect(host.status(group)).toMatchObject({ durable: 2, commit: 2 });
  expect(machine.items()).toEqual(['x']);
});
