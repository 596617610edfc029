/** What most faults need to begin, to wait and to end. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ChaosNode } from '../cluster/chaos-node.ts';
import type { Proof } from '../cluster/proofs.ts';
import { type BegunFault, type FaultContext, FaultImpossible } from './fault.ts';

const pollMs = 20;
/** Longest wait for a process to become one that can be struck: it may be starting. */
const occasionMsMax = 30_000;

/** A fault of each node by itself. If one cannot begin, those that have begun are healed. */
export async function beginOnEach(nodes: readonly number[], begin: (node: number) => Promise<BegunFault>): Promise<BegunFault> {
  const outcomes = await Promise.allSettled(nodes.map(begin));
  const begun = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const heal = async (): Promise<void> => {
    await Promise.all(begun.map((fault) => fault.heal()));
  };
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) {
    await heal();
    throw failed.reason;
  }
  return { prove: async (ending) => (await Promise.all(begun.map((fault) => fault.prove(ending)))).flat(), heal };
}

/** Looks until `seen` gives something, or until `ending`; then once more. */
export async function lookUntil<Seen>(
  ending: AbortSignal,
  seen: () => Seen | undefined | Promise<Seen | undefined>,
): Promise<Seen | undefined> {
  const endMs = performance.now() + occasionMsMax;
  while (!ending.aborted && performance.now() < endMs) {
    const found = await seen();
    if (found !== undefined) return found;
    await delay(pollMs);
  }
  return seen();
}

/** The same proof again and again until it holds; the last one counts. */
export async function proveBy(ending: AbortSignal, prove: () => Proof | Promise<Proof>): Promise<Proof> {
  const holding = async (): Promise<Proof | undefined> => {
    const proof = await prove();
    return proof.holds ? proof : undefined;
  };
  return (await lookUntil(ending, holding)) ?? prove();
}

/** Also over when the signal is. */
export const pauseFor = (ms: number, signal: AbortSignal): Promise<void> => delay(ms, undefined, { signal }).catch(() => undefined);

/** Again and again with a pause, until stopped. What an action throws is told to whoever stops it. */
export function repeatEvery(everyMs: number, action: (signal: AbortSignal) => Promise<void>): { readonly stop: () => Promise<void> } {
  const ended = new AbortController();
  const run = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      await action(ended.signal);
      await pauseFor(everyMs, ended.signal);
    }
  };
  const running = run();
  running.catch(() => undefined);
  return {
    stop: () => {
      ended.abort();
      return running;
    },
  };
}

/** The node, which must have a process that runs. */
export function runningNode({ cluster }: Pick<FaultContext, 'cluster'>, id: number): ChaosNode {
  const node = cluster.node(id);
  if (node.state() !== 'running') throw new FaultImpossible(`node ${id} is ${node.state()}`);
  return node;
}

/** Whether the process that the node has now has ended, also if another one took its place. */
export function watchEnd(node: ChaosNode): () => boolean {
  const incarnation = node.incarnation();
  return () => node.incarnation() !== incarnation || node.state() === 'down';
}

/** Another process, if it has none. */
export function startAgain({ onNode }: Pick<FaultContext, 'onNode'>, node: ChaosNode): void {
  if (node.state() !== 'down') return;
  node.start();
  onNode(node.id, 'started');
}
