/** Evidence that rules between namespaces take effect: attempts to connect, made where the nodes are, and what was heard of them. */
import { fileURLToPath } from 'node:url';
import type { Proof } from '../cluster/proofs.ts';
import { type NamespaceNetwork, type PacketFault, ports } from './namespace-network.ts';
import { runTool } from './tools.ts';

/** `silent`: no answer in time. */
export type Dialled = 'connected' | 'refused' | 'silent';

const program = fileURLToPath(new URL('./dial.ts', import.meta.url));
/** The kernel repeats the first packet after a second. */
const dialMsDefault = 300;

/** Node `from` tries to connect to node `to`. */
export async function dial(network: NamespaceNetwork, from: number, to: number, timeoutMs = dialMsDefault): Promise<Dialled> {
  const question = [network.subnet.node(to), String(ports.peer), String(timeoutMs)];
  const answer = await runTool([...network.launcher(from), process.execPath, program, ...question]);
  return answer as Dialled;
}

/** Not a packet of node `from` is accepted by node `to`, although it tries. */
export async function proveUnheard(network: NamespaceNetwork, from: number, to: number): Promise<Proof> {
  const { dialled, heard } = await dialCounting(network, from, to);
  const holds = dialled !== 'connected' && heard === 0;
  return { claim: `node ${to} hears nothing from node ${from}`, holds, evidence: `connecting: ${dialled}, ${heard} packets heard` };
}

/** Node `to` accepts packets of node `from`, whether or not its answers arrive. */
export async function proveHeard(network: NamespaceNetwork, from: number, to: number): Promise<Proof> {
  const { dialled, heard } = await dialCounting(network, from, to);
  return { claim: `node ${to} hears node ${from}`, holds: heard > 0, evidence: `connecting: ${dialled}, ${heard} packets heard` };
}

/** Node `from` is told at once that it cannot connect to node `to`, and by the rules. */
export async function proveRejected(network: NamespaceNetwork, fault: PacketFault, from: number, to: number): Promise<Proof> {
  const before = await fault.struck();
  const dialled = await dial(network, from, to);
  const struck = (await fault.struck()) - before;
  const holds = dialled === 'refused' && struck > 0;
  return { claim: `node ${from} is reset by node ${to}`, holds, evidence: `connecting: ${dialled}, ${struck} packets rejected meanwhile` };
}

/** Every node can connect to every other. One proof for each. */
export async function proveConnected(network: NamespaceNetwork): Promise<readonly Proof[]> {
  const pairs = network.nodes.flatMap((from) => network.nodes.filter((to) => to !== from).map((to) => ({ from, to })));
  return await Promise.all(
    pairs.map(async ({ from, to }) => {
      const dialled = await dial(network, from, to, dialMsPatient);
      return { claim: `node ${from} connects to node ${to}`, holds: dialled === 'connected', evidence: `connecting: ${dialled}` };
    }),
  );
}

/** Where an answer is expected, a busy machine gets its time. */
const dialMsPatient = 5_000;

async function dialCounting(network: NamespaceNetwork, from: number, to: number) {
  const before = await network.heard(from, to);
  const dialled = await dial(network, from, to);
  return { dialled, heard: (await network.heard(from, to)) - before };
}
