/** A restart from a checkpoint that outlived the process, as checkpoints do that were flushed. */
import { expect, test } from 'vitest';
import { bytes, group, type HostNode, startHosts } from './host-cluster.ts';

/** The store loses nothing in a crash from now on. */
function keepStore({ store }: HostNode): void {
  const { crash } = store;
  (store as { crash: typeof crash }).crash = () => crash(store.unflushedBatches());
}

test('entries before the checkpoint are not applied again', async () => {
  const cluster = await startHosts(3, { checkpointCommands: 10 });
  const leader = await cluster.elect();
  for (const node of cluster.nodes) keepStore(node);
  const items = Array.from({ length: 25 }, (_, i) => `item ${i}`);
  for (const item of items) await cluster.settle(leader.host.propose(group, bytes(item), { durability: 'quorum', timeoutMs: 5000 }));
  await cluster.clock.advance(500);
  cluster.kill(leader);
  await cluster.restart(leader);
  // Before anything is applied: the checkpoint was found, and is not of the start.
  expect(leader.machine.items().length).toBeGreaterThan(0);
  const next = await cluster.elect();
  await cluster.settle(next.host.propose(group, bytes('after'), { durability: 'quorum', timeoutMs: 5000 }));
  await cluster.clock.advance(1000);
  for (const { machine } of cluster.nodes) expect(machine.items()).toEqual([...items, 'after']);
});
