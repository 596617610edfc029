/** A leader hears of the next one in the turn in which it orders a message of its own. */
import { expect, test } from 'vitest';
import { bytes, group } from './host-cluster.ts';
import { commands, startLoneHost } from './lone-host.ts';

test('what the next leader put in place of an entry is not sent in the name of the last one', async () => {
  const { host, hear, settle, lead, messages, fatal } = await startLoneHost();
  const term = await lead();
  void host.propose(group, bytes('mine'), { durability: 'quorum', timeoutMs: 1000 }).catch(() => undefined);
  await settle();
  messages();
  // One turn: node 3 shall get entry 2, and then that entry is another one.
  hear('append-response', 3, term, { index: 1 });
  hear('append-request', 2, term + 1, { index: 1, indexTerm: term, entries: commands(1, term + 1, 'of the next leader') });
  await settle();
  expect(host.status(group)).toMatchObject({ role: 'follower', term: term + 1, last: 2 });
  expect(messages().map(({ kind }) => kind)).toEqual(['append-response']);
  expect(fatal).toEqual([]);
});
