/**
 * How many ticks a group is without a leader after the leader's process died and the
 * others noticed by their connections. Ticks of all nodes fall together and messages
 * take no time: the worst case for split votes.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { act, createGroup, crash, leadersOf, settle, tickNode } from './raft-group.ts';

const ticksMax = 100;

function ticksWithoutLeader(seed: number, voters: readonly number[]): number {
  const group = createGroup({ seed, voters, spares: [], config: { electionTicksMin: 10, electionTicksMax: 20 } });
  act(group, group.nodes[0]!, { type: 'campaign' });
  settle(group);
  const [old] = leadersOf(group);
  crash(group, old!);
  const survivors = group.nodes.filter((node) => node !== old);
  for (const node of survivors) act(group, node, { type: 'peer-lost', node: old!.id });
  for (let ticks = 0; ticks < ticksMax; ticks++) {
    if (leadersOf(group).length > 0) return ticks;
    for (const node of survivors) tickNode(group, node);
    settle(group);
  }
  return ticksMax;
}

const seeds = fc.integer({ min: 1, max: 0x7fff_ffff });

test('three nodes have a new leader within three ticks', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      expect(ticksWithoutLeader(seed, [1, 2, 3])).toBeLessThanOrEqual(3);
    }),
    { numRuns: 300 },
  );
});

test('five nodes have one within three ticks nearly always, and within two election time-outs in any case', () => {
  const waits: number[] = [];
  fc.assert(
    fc.property(seeds, (seed) => {
      waits.push(ticksWithoutLeader(seed, [1, 2, 3, 4, 5]));
      expect(waits.at(-1)).toBeLessThan(45);
    }),
    { numRuns: 300 },
  );
  expect(waits.filter((ticks) => ticks <= 3).length / waits.length).toBeGreaterThan(0.8);
});
