/** Placement against exhaustive search where that is possible, and against bounds where it is not. */
import type { NodeId } from '@balsa/node/core/ids.ts';
import { asNodeId } from '@balsa/node/core/ids.ts';
import type { PlacementNode, Replicas } from '@balsa/node/core/machines/metadata/placement.ts';
import { placePartitions } from '@balsa/node/core/machines/metadata/placement.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';

function cluster(zones: readonly number[]): PlacementNode[] {
  return zones.map((zone, at) => ({ nodeId: asNodeId(at + 1), zone: `zone-${zone}` }));
}

function place(
  nodes: readonly PlacementNode[],
  partitions: number,
  replicationFactor: number,
  ofCluster: readonly Replicas[] = [],
): readonly Replicas[] {
  return placePartitions({ nodes, partitions, replicationFactor, ofTopic: [], ofCluster });
}

function countsOf(nodes: readonly PlacementNode[], held: readonly NodeId[]): number[] {
  return nodes.map((node) => held.filter((nodeId) => nodeId === node.nodeId).length);
}

const spread = (counts: readonly number[]): number => Math.max(...counts) - Math.min(...counts);
const leadersOf = (placed: readonly Replicas[]): NodeId[] => placed.map((replicas) => replicas[0]!);

/** All sets of `size` nodes, as lists. */
function subsets<T>(items: readonly T[], size: number): T[][] {
  if (size === 0) return [[]];
  return items.flatMap((item, at) => subsets(items.slice(at + 1), size - 1).map((rest) => [item, ...rest]));
}

/** Smaller is more even: the sum of squares of the replicas per zone. */
function zoneUnevenness(nodes: readonly PlacementNode[], replicas: Replicas): number {
  const zones = replicas.map((nodeId) => nodes.find((node) => node.nodeId === nodeId)!.zone);
  return [...new Set(zones)].reduce((sum, zone) => sum + zones.filter((each) => each === zone).length ** 2, 0);
}

/** The sets of nodes that are as even over zones as any. */
function evenSets(nodes: readonly PlacementNode[], size: number): Replicas[] {
  const all = subsets(
    nodes.map((node) => node.nodeId),
    size,
  );
  const best = Math.min(...all.map((set) => zoneUnevenness(nodes, set)));
  return all.filter((set) => zoneUnevenness(nodes, set) === best);
}

/** Least possible "most replicas on one node" when every partition takes an even set. */
function bestMaximum(nodes: readonly PlacementNode[], sets: readonly Replicas[], partitions: number): number {
  let loads = new Set([JSON.stringify(nodes.map(() => 0))]);
  for (let partition = 0; partition < partitions; partition++) {
    const next = new Set<string>();
    for (const load of loads) {
      const counts = JSON.parse(load) as number[];
      for (const set of sets) next.add(JSON.stringify(counts.map((held, at) => held + (set.includes(nodes[at]!.nodeId) ? 1 : 0))));
    }
    loads = next;
  }
  return Math.min(...[...loads].map((load) => Math.max(...(JSON.parse(load) as number[]))));
}

const smallCase = fc.array(fc.nat(2), { minLength: 1, maxLength: 5 }).chain((zones) =>
  fc.record({
    zones: fc.constant(zones),
    partitions: fc.integer({ min: 1, max: 6 }),
    replicas: fc.integer({ min: 1, max: Math.min(4, zones.length) }),
  }),
);

test('small clusters: as even over zones as possible, no busier node than an exhaustive search needs', () => {
  fc.assert(
    fc.property(smallCase, ({ zones, partitions, replicas }) => {
      const nodes = cluster(zones);
      const placed = place(nodes, partitions, replicas);
      const sets = evenSets(nodes, replicas);
      const best = zoneUnevenness(nodes, sets[0]!);
      expect(placed).toHaveLength(partitions);
      for (const each of placed) {
        expect(new Set(each).size).toBe(replicas);
        expect(zoneUnevenness(nodes, each)).toBe(best);
      }
      expect(Math.max(...countsOf(nodes, placed.flat()))).toBeLessThanOrEqual(bestMaximum(nodes, sets, partitions));
      expect(spread(countsOf(nodes, leadersOf(placed)))).toBeLessThanOrEqual(1);
    }),
    { numRuns: 300 },
  );
});

const largeCase = fc.array(fc.nat(6), { minLength: 1, maxLength: 20 }).chain((zones) =>
  fc.record({
    zones: fc.constant(zones),
    partitions: fc.integer({ min: 1, max: 200 }),
    replicas: fc.integer({ min: 1, max: Math.min(7, zones.length) }),
  }),
);

test('larger clusters: leaders within one of each other, replicas never share a zone while there is a choice', () => {
  fc.assert(
    fc.property(largeCase, ({ zones, partitions, replicas }) => {
      const nodes = cluster(zones);
      const placed = place(nodes, partitions, replicas);
      expect(spread(countsOf(nodes, leadersOf(placed)))).toBeLessThanOrEqual(1);
      for (const each of placed) expectSpreadOverZones(nodes, each);
    }),
    { numRuns: 100 },
  );
});

function expectSpreadOverZones(nodes: readonly PlacementNode[], replicas: Replicas): void {
  const zones = [...new Set(nodes.map((node) => node.zone))];
  const used = zones.map((zone) => ({
    size: nodes.filter((node) => node.zone === zone).length,
    held: nodes.filter((node) => node.zone === zone && replicas.includes(node.nodeId)).length,
  }));
  const most = Math.max(...used.map(({ held }) => held));
  for (const { size, held } of used) expect(held === size || held >= most - 1).toBe(true);
  if (zones.length >= replicas.length) expect(most).toBe(1);
}

test('zones of equal size: replicas within one of each other', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 4 }),
      fc.nat(100),
      fc.integer({ min: 1, max: 7 }),
      (zoneCount, size, partitions, wanted) => {
        const nodes = cluster(Array.from({ length: zoneCount * size }, (_, at) => at % zoneCount));
        const placed = place(nodes, partitions, Math.min(wanted, nodes.length));
        expect(spread(countsOf(nodes, placed.flat()))).toBeLessThanOrEqual(1);
      },
    ),
    { numRuns: 200 },
  );
});

test('many topics: the cluster stays balanced, too', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 3, max: 9 }),
      fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 40 }),
      (nodeCount, topics) => {
        const nodes = cluster(Array.from({ length: nodeCount }, (_, at) => at % 3));
        const all: Replicas[] = [];
        for (const partitions of topics) all.push(...place(nodes, partitions, 3, all));
        for (const zone of ['zone-0', 'zone-1', 'zone-2']) {
          const inZone = nodes.filter((node) => node.zone === zone);
          expect(spread(countsOf(inZone, all.flat()))).toBeLessThanOrEqual(1);
        }
        // One more than within a topic: the leader of a small topic is one of its few replicas.
        expect(spread(countsOf(nodes, leadersOf(all)))).toBeLessThanOrEqual(2);
      },
    ),
    { numRuns: 100 },
  );
});

test('a new, empty node does not lead every partition of the next topic', () => {
  const old = cluster([0, 1, 2]);
  const all = place(old, 30, 3);
  const grown = cluster([0, 1, 2, 0]);
  const topic = place(grown, 4, 3, all);
  expect(countsOf(grown, leadersOf(topic))).toEqual([1, 1, 1, 1]);
  expect(leadersOf(place(grown, 1, 3, all))).toEqual([4]);
});

test('growing a topic keeps its balance', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 12 }),
      (size, partitions, more) => {
        const nodes = cluster(Array.from({ length: 3 * size }, (_, at) => at % 3));
        const before = place(nodes, partitions, 3);
        const all = [...before, ...placePartitions({ nodes, partitions: more, replicationFactor: 3, ofTopic: before, ofCluster: before })];
        expect(spread(countsOf(nodes, all.flat()))).toBeLessThanOrEqual(1);
        expect(spread(countsOf(nodes, leadersOf(all)))).toBeLessThanOrEqual(1);
      },
    ),
    { numRuns: 200 },
  );
});
