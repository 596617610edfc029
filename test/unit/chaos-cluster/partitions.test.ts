/** Which links a partition cuts, in which direction, and that it ends alone. */
import { cutClients, cutOneWay, cutPair, deafen, mute, partition } from '@balsa/chaos/cluster/partitions.ts';
import { type ClusterNetwork, openNetwork } from '@balsa/chaos/cluster/network.ts';
import { isHealthy } from '@balsa/chaos/links/impairment.ts';
import type { Undo } from '@balsa/chaos/links/link.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';

const nodes = [1, 2, 3, 4];

let network: ClusterNetwork;
beforeEach(async () => {
  // Nobody connects: only the links' states are looked at.
  const [clientAddress, peerAddress, httpAddress] = ['127.0.0.1:1', '127.0.0.1:2', '127.0.0.1:3'];
  network = await openNetwork(
    nodes.map(() => ({ clientAddress, peerAddress, httpAddress })),
    () => 0.5,
  );
});
afterEach(() => network.close());

/** Who does not hear whom, from the states of both links of each pair; each link must agree with the other. */
function silenced(): readonly string[] {
  const found: string[] = [];
  for (const from of nodes) {
    for (const to of nodes.filter((id) => id !== from)) {
      const spoken = network.link(from, to).state().downstream.delivery;
      const upkeep = network.link(to, from).state().upstream.delivery;
      expect(spoken).toBe(upkeep);
      if (spoken === 'swallow') found.push(`${from}>${to}`);
    }
  }
  return found;
}

test.each<[string, () => Undo, readonly string[]]>([
  ['one way', () => cutOneWay(network, 1, 2), ['1>2']],
  ['a pair', () => cutPair(network, 1, 2), ['1>2', '2>1']],
  ['one against all', () => partition(network, [1], [2, 3, 4]), ['1>2', '1>3', '1>4', '2>1', '3>1', '4>1']],
  ['halves', () => partition(network, [1, 2], [3, 4]), ['1>3', '1>4', '2>3', '2>4', '3>1', '3>2', '4>1', '4>2']],
  ['three sides and a bridge', () => partition(network, [1], [2], [3]), ['1>2', '1>3', '2>1', '2>3', '3>1', '3>2']],
  ['deaf', () => deafen(network, 1, [2, 3]), ['2>1', '3>1']],
  ['mute', () => mute(network, 1, [2, 3]), ['1>2', '1>3']],
])('%s', (_, apply, expected) => {
  const undo = apply();
  expect(silenced()).toEqual(expected);
  expect(nodes.map((id) => isHealthy(network.clientLink(id).state()))).toEqual([true, true, true, true]);
  undo();
  expect(network.links.every((link) => isHealthy(link.state()))).toBe(true);
});

test('partitions that overlap end one by one', () => {
  const undoMute = mute(network, 1, [2, 3]);
  const undoPair = cutPair(network, 1, 2);
  undoMute();
  expect(silenced()).toEqual(['1>2', '2>1']);
  undoPair();
  expect(silenced()).toEqual([]);
});

test('clients of one node', () => {
  const undo = cutClients(network, 2);
  expect(nodes.map((id) => isHealthy(network.clientLink(id).state()))).toEqual([true, false, true, true]);
  expect(silenced()).toEqual([]);
  undo();
  expect(network.links.every((link) => isHealthy(link.state()))).toBe(true);
});
