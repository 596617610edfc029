/** What happens to processes from outside: ends, pauses, and too little of the processor. */
import * as z from 'zod';
import { proveCpuThrottled, throttleCpu } from '../cluster/cpu-throttle.ts';
import type { ChaosNode } from '../cluster/chaos-node.ts';
import { pauseNode } from '../cluster/node-faults.ts';
import { type Proof, proveGone, provePaused } from '../cluster/proofs.ts';
import { processState } from '../cluster/process-state.ts';
import { beginOnEach, proveBy, runningNode, startAgain } from './begun.ts';
import { defineFault, type Fault, noParameters } from './fault.ts';

const answerMsMax = 300;
export const kill = defineFault({
  name: 'kill',
  family: 'process',
  summary: 'The process ends at once (kill -9); it is started again at the end',
  parameters: noParameters,
  describe: (nodes) => `kill -9 of ${nodes}`,
  begin: (context, nodes) =>
    beginOnEach(nodes, async (id) => {
      const node = runningNode(context, id);
      await node.kill();
      return { prove: async () => [await proveGone(node)], heal: async () => startAgain(context, node) };
    }),
});

export const stop = defineFault({
  name: 'stop',
  family: 'process',
  summary: 'The process ends in order (SIGTERM); it is started again at the end',
  parameters: noParameters,
  describe: (nodes) => `graceful stop of ${nodes}`,
  begin: (context, nodes) =>
    beginOnEach(nodes, async (id) => {
      const node = runningNode(context, id);
      await node.stop();
      return { prove: async () => [await proveGone(node), endedInOrder(node)], heal: async () => startAgain(context, node) };
    }),
});

function endedInOrder(node: ChaosNode): Proof {
  const ending = node.endings().at(-1);
  const evidence = `the last process ended by ${ending?.signal ?? `exit code ${ending?.code}`}`;
  return { claim: `node ${node.id} has stopped in order`, holds: ending?.code === 0, evidence };
}

export const restart = defineFault({
  name: 'restart',
  family: 'process',
  summary: 'The process ends at once (kill -9) and another one starts in the same moment',
  parameters: noParameters,
  describe: (nodes) => `kill -9 and immediate start of ${nodes}`,
  begin: (context, nodes) =>
    beginOnEach(nodes, async (id) => {
      const node = runningNode(context, id);
      const ending = await node.kill();
      startAgain(context, node);
      const prove = async (): Promise<Proof> => {
        const old = ending === undefined ? 'unknown' : await processState(ending.pid);
        const evidence = `process ${ending?.pid} is ${old}; process ${node.pid()} is number ${node.incarnation()} of the node`;
        const holds = ending?.signal === 'SIGKILL' && old === 'gone' && node.incarnation() > ending.incarnation;
        return { claim: `node ${id} is another process now`, holds, evidence };
      };
      return { prove: async () => [await prove()], heal: async () => startAgain(context, node) };
    }),
});

export const pause = defineFault({
  name: 'pause',
  family: 'process',
  summary: 'The process stands still (SIGSTOP) and later goes on as if nothing had been',
  parameters: noParameters,
  describe: (nodes) => `pause of ${nodes}`,
  begin: (context, nodes) =>
    beginOnEach(nodes, async (id) => {
      const node = runningNode(context, id);
      const resume = await pauseNode(node);
      context.onNode(id, 'paused');
      return {
        prove: async () => [await provePaused(node, answerMsMax)],
        heal: async () => {
          if (node.state() !== 'paused') return;
          await resume();
          context.onNode(id, 'resumed');
        },
      };
    }),
});

const starved = z.strictObject({
  /** Of the time, in which it runs. */
  share: z.number().min(0.01).max(0.95).default(0.1),
});

export const cpuStarve = defineFault({
  name: 'cpu-starve',
  family: 'process',
  summary: 'The process runs only a share of the time, in short turns',
  parameters: starved,
  describe: (nodes, { share }) => `${Math.round(share * 100)} % of the processor for ${nodes}`,
  begin: (context, nodes, { share }) =>
    beginOnEach(nodes, async (id) => {
      const node = runningNode(context, id);
      const heal = throttleCpu(node, share);
      return { prove: async (ending) => [await proveBy(ending, () => proveCpuThrottled(node, share))], heal: async () => heal() };
    }),
});

export const processFaults: readonly Fault[] = [kill, stop, restart, pause, cpuStarve];
