/** A group that was deleted and made again has nothing to do with its predecessor's messages. */
import { expect, test } from 'vitest';
import { group } from './host-cluster.ts';
import { commands, generation, startLoneHost } from './lone-host.ts';

test.each([
  ['an older', generation - 1],
  ['a newer', generation + 1],
])('messages of %s generation change nothing and are not answered', async (_, other) => {
  const dropped: string[] = [];
  const { host, hear, settle, said } = await startLoneHost({ observer: { onDropped: (what) => dropped.push(what) } });
  hear('vote-request', 2, 9, {}, other);
  hear('append-request', 2, 9, { entries: commands(0, 9, 'of another log') }, other);
  await settle();
  expect(host.status(group)).toMatchObject({ term: 0, last: 0, leader: 0 });
  expect(said()).toEqual([]);
  expect(dropped).toEqual(['old-generation', 'old-generation']);
  hear('append-request', 2, 9, { entries: commands(0, 9, 'of this log') });
  await settle();
  expect(host.status(group)).toMatchObject({ term: 9, last: 1, leader: 2 });
});
