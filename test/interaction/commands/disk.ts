/** Commands that decide when writes are on disk and when committed entries are applied. */
import { nodesOf, numberOf, switchOf } from '../arguments.ts';
import { applyNode, persistNode } from '../harness/cluster.ts';
import type { Replica } from '../harness/replica.ts';
import { allNodes, type Command, type Commands, replicaOf, say } from '../session.ts';

/** persist 1,2 [count], apply 1,2 [count]: the oldest `count` writes or entries of each node. */
const progress =
  (run: (cluster: Parameters<typeof persistNode>[0], replica: Replica, count: number) => number, idle: string): Command =>
  (session, { words: [nodes, count] }) => {
    for (const id of nodes === 'all' ? allNodes(session) : nodesOf(nodes)) {
      const limit = count === undefined ? Number.POSITIVE_INFINITY : numberOf(count, 'count');
      if (run(session.cluster, replicaOf(session, id), limit) === 0) say(session, `${id} has ${idle}`);
    }
  };

export const diskCommands: Commands = {
  persist: progress(persistNode, 'nothing to write'),
  apply: progress(applyNode, 'nothing to apply'),
  'auto-persist': ({ cluster }, { words: [mode] }) => {
    cluster.autoPersist = switchOf(mode, 'auto-persist');
  },
  'auto-apply': ({ cluster }, { words: [mode] }) => {
    cluster.autoApply = switchOf(mode, 'auto-apply');
  },
};
