/** A rate for everything that a node sends, kept by the kernel: a token bucket on its interface. One at a time per node. */
import type { NamespaceNetwork, PacketFault } from './namespace-network.ts';
import { nodeInterface } from './namespace-network.ts';
import { runTool } from './tools.ts';

/** Also the largest packet that the kernel hands to the interface in one piece. */
const burstBytes = 64 * 1024;
const latencyMsMax = 400;

interface QueueStatus {
  readonly kind: string;
  readonly overlimits: number;
}

/** `struck` of what it returns counts packets that had to wait or were too many. */
export async function limitRate(network: NamespaceNetwork, node: number, bytesPerSecond: number): Promise<PacketFault> {
  const namespace = network.namespace(node);
  const queue = (verb: 'add' | 'del', ...rest: readonly string[]): Promise<string> =>
    runTool(['tc', '-n', namespace, 'qdisc', verb, 'dev', nodeInterface, 'root', ...rest]);
  await queue('add', 'tbf', 'rate', `${bytesPerSecond}bps`, 'burst', `${burstBytes}`, 'latency', `${latencyMsMax}ms`);
  let healing: Promise<void> | undefined;
  const fault: PacketFault = {
    struck: async () => {
      const queues = JSON.parse(await runTool(['tc', '-n', namespace, '-s', '-j', 'qdisc', 'show', 'dev', nodeInterface])) as QueueStatus[];
      return queues.find(({ kind }) => kind === 'tbf')?.overlimits ?? 0;
    },
    heal: () => {
      healing ??= queue('del').then(() => void network.faults.delete(fault));
      return healing;
    },
  };
  network.faults.add(fault);
  return fault;
}
