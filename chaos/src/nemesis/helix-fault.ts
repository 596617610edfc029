/** Damage everywhere at once, of which none is fatal. */
import * as z from 'zod';
import { damageInHelix } from '../damage/helix.ts';
import { runningNode, startAgain } from './begun.ts';
import { proveDamage } from './damage-fault.ts';
import { defineFault, FaultImpossible } from './fault.ts';

export const helix = defineFault({
  name: 'helix',
  family: 'damage',
  summary: 'All nodes are killed and damaged, each elsewhere, so that of everything one good copy is left',
  parameters: z.strictObject({ hits: z.number().int().min(1).max(100).default(3).describe('entries to damage on each node') }),
  scope: 'cluster',
  describe: (_, { hits }) => `${hits} damaged entries on every node, one good copy of each`,
  begin: async (context, nodes, { hits }) => {
    if (nodes.length < 2) throw new FaultImpossible('it takes two nodes, so that a good copy is left');
    const victims = nodes.map((id) => runningNode(context, id));
    await Promise.all(victims.map((node) => node.kill()));
    const heal = async (): Promise<void> => victims.forEach((node) => startAgain(context, node));
    try {
      const done = damageInHelix(
        victims.map(({ dir }) => dir),
        { random: context.random, hitsPerNode: hits },
      );
      const proofs = done.flatMap((each) => {
        const node = victims[each.node];
        return node === undefined ? [] : [proveDamage(node, each)];
      });
      return { prove: async () => proofs, heal };
    } catch (error) {
      await heal();
      throw error;
    }
  },
});
