/** What signals do to a broker, as faults with an end. Each settles when it has taken effect. */
import type { ChaosNode } from './chaos-node.ts';
import type { Heal } from './lasting.ts';

/** SIGSTOP until healed. */
export async function pauseNode(node: ChaosNode): Promise<Heal> {
  await node.pause();
  return async () => {
    if (node.state() === 'paused') await node.resume();
  };
}

/** SIGKILL; healed, it is started again. */
export async function killNode(node: ChaosNode): Promise<Heal> {
  await node.kill();
  return () => startIfDown(node);
}

/** A graceful end; healed, it is started again. */
export async function stopNode(node: ChaosNode): Promise<Heal> {
  await node.stop();
  return () => startIfDown(node);
}

function startIfDown(node: ChaosNode): void {
  if (node.state() === 'down') node.start();
}
