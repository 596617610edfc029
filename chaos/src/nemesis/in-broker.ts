/**
 * Faults inside of a broker: told to it, and ended by telling it.
 *
 * Another process of the node knows nothing of what its predecessor was told: who ends such a
 * fault asks only the process that was struck, and starts the node again if that is gone.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { exitCodes } from '@balsa/node/assembly/exit-code.ts';
import type { FaultRequest } from '@balsa/node/faults/command.ts';
import type { ChaosNode } from '../cluster/chaos-node.ts';
import type { Proof } from '../cluster/proofs.ts';
import type { FaultControl } from '../faults/fault-control.ts';
import { runningNode, startAgain, watchEnd } from './begun.ts';
import type { FaultContext } from './fault.ts';

/** A broker that has just been started listens soon. */
const listenMsMax = 20_000;
const pollMs = 50;

/** A fault that lasts in the broker. */
export interface ArmedFault {
  readonly node: ChaosNode;
  /** How often it has struck; 0 if the process cannot be asked any more. */
  readonly struck: () => Promise<number>;
  /** Whether the process that was told has ended. */
  readonly hasEnded: () => boolean;
  readonly heal: () => Promise<void>;
}

/** What lasts until its time is over or it is healed. */
export type LastingRequest = Exclude<FaultRequest, { readonly fault: 'power-loss' | 'bit-flip' | 'block' | 'heal' }>;

/** `endsProcess`: the broker may end by itself because of it. */
export async function arm(context: FaultContext, id: number, request: LastingRequest, { endsProcess = false } = {}): Promise<ArmedFault> {
  const node = runningNode(context, id);
  const hasEnded = watchEnd(node);
  const control = await listeningControl(context, node);
  const withdraw = endsProcess ? context.expectEnding(id) : (): void => undefined;
  const armed = await control.apply({ ttlMs: context.ttlMs, ...request }).catch((error: unknown) => {
    withdraw();
    throw error;
  });
  const struck = async (): Promise<number> => {
    if (hasEnded()) return 0;
    const report = await control.describe().catch(() => undefined);
    const found = [...(report?.active ?? []), ...(report?.ended ?? [])].find((fault) => fault.id === armed.id);
    return found?.struck ?? 0;
  };
  const heal = async (): Promise<void> => {
    try {
      if (!hasEnded()) await control.apply({ fault: 'heal', id: armed.id });
    } catch (error) {
      // It may have ended over the question.
      if (!hasEnded()) throw error;
    }
    startAgain(context, node);
    withdraw();
  };
  return { node, struck, hasEnded, heal };
}

/** The control channel of a broker that has come so far as to listen to it. */
export async function listeningControl({ control }: FaultContext, node: ChaosNode): Promise<FaultControl> {
  const endMs = performance.now() + listenMsMax;
  const channel = control(node.id);
  for (;;) {
    try {
      await channel.describe();
      return channel;
    } catch (error) {
      if (performance.now() > endMs || node.state() === 'down') throw error;
    }
    await delay(pollMs);
  }
}

/** The process that was told has ended because its storage failed. */
export function proveStorageFailed({ node, hasEnded }: ArmedFault): Proof {
  const ending = node.endings().at(-1);
  const { code } = exitCodes.STORAGE_FAILED;
  const holds = hasEnded() && ending?.code === code;
  const evidence = hasEnded() ? `it ended by ${ending?.signal ?? `exit code ${ending?.code}`}` : 'it runs';
  return { claim: `node ${node.id} ended with exit code ${code}, STORAGE_FAILED`, holds, evidence };
}

/** The broker says how often it was struck. */
export async function proveStruck({ node, struck }: ArmedFault, what: string): Promise<Proof> {
  const times = await struck();
  return { claim: `${what} on node ${node.id}`, holds: times > 0, evidence: `${times} operations were struck` };
}
