/** How many nodes may be damaged at a time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { damageKinds } from '../../sim/world/disk/disk-fault.ts';
import { createFaultAtlas } from '../../sim/world/disk/fault-atlas.ts';

const nodes = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

describe('fault atlas', () => {
  it.each([
    [1, 0],
    [2, 0],
    [3, 1],
    [4, 1],
    [5, 2],
    [7, 3],
  ])('of %d nodes: %d may be damaged', (count, tolerance) => {
    const atlas = createFaultAtlas({ nodes: nodes(count) });
    expect(atlas.tolerance).toBe(tolerance);
    for (const node of nodes(count)) if (atlas.allows(node, 'bit-rot')) atlas.damaged(node);
    expect(atlas.damagedNodes()).toEqual(nodes(tolerance));
  });

  it('counts replicas, not nodes: two of five may be the majority of a group of three', () => {
    expect(createFaultAtlas({ nodes: nodes(5), replicasMin: 3 }).tolerance).toBe(1);
    expect(createFaultAtlas({ nodes: nodes(3), replicasMin: 5 }).tolerance).toBe(1);
  });

  it('lets the damaged node be damaged further, and another one once it is repaired', () => {
    const atlas = createFaultAtlas({ nodes: nodes(3) });
    atlas.damaged(2);
    expect(nodes(3).map((node) => atlas.allows(node, 'zero-page'))).toEqual([false, true, false]);
    atlas.repaired(2);
    expect(nodes(3).map((node) => atlas.allows(node, 'zero-page'))).toEqual([true, true, true]);
  });

  it('always allows to lose what was not synced, and errors that are seen', () => {
    const atlas = createFaultAtlas({ nodes: nodes(3) });
    atlas.damaged(1);
    for (const kind of ['power-loss', 'sync-error', 'write-error', 'no-space', 'stall'] as const) expect(atlas.allows(2, kind)).toBe(true);
    for (const kind of [...damageKinds, 'read-error'] as const) expect(atlas.allows(2, kind)).toBe(false);
  });

  it('has no limit beyond tolerance', () => {
    const atlas = createFaultAtlas({ nodes: nodes(3), isBeyondTolerance: true });
    for (const node of nodes(3)) {
      expect(atlas.allows(node, 'removed-file')).toBe(true);
      atlas.damaged(node);
    }
    expect(atlas.damagedNodes()).toEqual([1, 2, 3]);
  });

  it('keeps a majority of any group of `replicasMin` whole, whatever is asked in which order', () => {
    const steps = fc.array(fc.record({ node: fc.integer({ min: 1, max: 7 }), repair: fc.boolean() }), { maxLength: 60 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 7 }), steps, (count, replicasMin, asked) => {
        const atlas = createFaultAtlas({ nodes: nodes(count), replicasMin });
        for (const { node, repair } of asked) {
          if (node > count) continue;
          if (repair) atlas.repaired(node);
          else if (atlas.allows(node, 'bit-rot')) atlas.damaged(node);
          const replicas = Math.min(count, replicasMin);
          expect(replicas - Math.min(replicas, atlas.damagedNodes().length)).toBeGreaterThan(replicas / 2);
        }
      }),
    );
  });
});
