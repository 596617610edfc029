/**
 * Paths stop one after the other, in an order of chance, and go on in another one: so every
 * node has a different idea of when the trouble began and when it was over.
 */
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { defineFault } from './fault.ts';
import { pathsOf } from './paths.ts';
import { proveClogs } from './slow-path-faults.ts';

export const swizzleClog = defineFault({
  name: 'swizzle-clog',
  family: 'network',
  summary: 'All paths between nodes are clogged one by one, and let go one by one in another order',
  parameters: z.strictObject({ stepMs: z.number().int().min(0).max(10_000).default(200) }),
  scope: 'cluster',
  describe: (_, { stepMs }) => `paths clogged and let go one by one, ${stepMs} ms apart`,
  begin: async (context, nodes, { stepMs }) => {
    const paths = context.random.shuffle(pathsOf(context.cluster, nodes, 'peers'));
    const undos = [];
    for (const { link } of paths) {
      undos.push(link.impair({ delivery: 'hold' }));
      await delay(stepMs);
    }
    const order = context.random.shuffle(undos);
    let healing: Promise<void> | undefined;
    const letGo = async (): Promise<void> => {
      for (const undo of order) {
        undo();
        await delay(stepMs);
      }
    };
    return { prove: () => proveClogs(context, paths), heal: () => (healing ??= letGo()) };
  },
});
