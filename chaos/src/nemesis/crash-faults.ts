/**
 * Ends at the worst moment: at a named point of the broker's code, or with everything lost
 * that the disk had not been told to keep.
 */
import type { LostPower } from '@balsa/node/faults/power-failure.ts';
import { failpointNames } from '@balsa/node/faults/failpoint-names.ts';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import type { ChaosNode } from '../cluster/chaos-node.ts';
import type { Proof } from '../cluster/proofs.ts';
import type { FaultControl } from '../faults/fault-control.ts';
import { beginOnEach, lookUntil, proveBy, runningNode, startAgain, watchEnd } from './begun.ts';
import { type BegunFault, defineFault, type Fault, type FaultContext } from './fault.ts';
import { arm, listeningControl } from './in-broker.ts';

const needs = ['unsafe-faults'] as const;

const torn = z
  .union([z.boolean(), z.enum(['prefix', 'sectors'])])
  .default(false)
  .describe('false: unsynced writes are lost as a whole; prefix or sectors: parts of them stay; true: either');

const crashAtParameters = z.strictObject({
  point: z.enum(failpointNames),
  hit: z.number().int().min(1).max(1_000_000).default(1).describe('the process ends when it passes the point for the so-manieth time'),
  how: z.enum(['kill', 'power']).default('kill').describe('power: what was not synced is lost too'),
});

export const crashAt = defineFault({
  name: 'crash-at',
  family: 'process',
  summary: 'The process ends when it passes a named point of its own code',
  parameters: crashAtParameters,
  needs,
  describe: (nodes, { point, how }) => `${how === 'kill' ? 'crash' : 'loss of power'} of ${nodes} at ${point}`,
  begin: (context, nodes, { point, hit, how }) =>
    beginOnEach(nodes, async (id) => {
      const action = how === 'kill' ? 'panic' : 'power-loss';
      const armed = await arm(context, id, { fault: 'failpoint', point, action, hit }, { endsProcess: true });
      const prove = (): Proof => proveKilled(armed.node, armed.hasEnded(), `node ${id} ended at ${point}`);
      return { prove: async (ending) => [await proveBy(ending, prove)], heal: armed.heal };
    }),
});

function proveKilled(node: ChaosNode, hasEnded: boolean, claim: string): Proof {
  const ending = node.endings().at(-1);
  const evidence = hasEnded ? `its process ended by ${ending?.signal ?? `exit code ${ending?.code}`}` : 'it runs';
  return { claim, holds: hasEnded && ending?.signal === 'SIGKILL', evidence };
}

const powerLossParameters = z.strictObject({
  torn,
  state: z.enum(['keep', 'unsynced', 'all']).default('unsynced').describe("what becomes of the state store's files"),
  syncsHeldMs: z
    .number()
    .int()
    .min(0)
    .max(5000)
    .default(100)
    .describe('syncs wait for so long before the end, so that something is lost at any rate; 0: not at all'),
});

export const powerLoss = defineFault({
  name: 'power-loss',
  family: 'process',
  summary: 'The power fails: the process ends and every write that was not synced is lost',
  parameters: powerLossParameters,
  needs,
  describe: (nodes) => `loss of power of ${nodes}`,
  begin: async (context, nodes, { syncsHeldMs, ...loss }) => {
    const victims = await Promise.all(nodes.map((id) => prepareVictim(context, id)));
    await Promise.all(victims.map(({ control }) => holdSyncs(control, syncsHeldMs)));
    const losses: Loss[] = [];
    // Together: in a whole cluster nobody sees the others go.
    const begun = await beginOnEach(nodes, async (id) => {
      const victim = victims.find(({ node }) => node.id === id);
      return failPower(context, victim ?? (await prepareVictim(context, id)), loss, losses);
    });
    return { ...begun, prove: async (ending) => [...(await begun.prove(ending)), proveLost(losses)] };
  },
});

/** What a broker took back before it ended. */
interface Loss extends LostPower {
  readonly node: number;
}

/** One node of several may have had nothing that was not synced. */
function proveLost(losses: readonly Loss[]): Proof {
  const told = losses.map(
    ({ node, lostBytes, files, names, keptBytes }) =>
      `node ${node} took back ${lostBytes} bytes of ${files} files and ${names} names, ${keptBytes} bytes stayed`,
  );
  return { claim: 'what was not synced is lost', holds: losses.some(({ lostBytes }) => lostBytes > 0), evidence: told.join('; ') };
}

interface Victim {
  readonly node: ChaosNode;
  readonly control: FaultControl;
}

async function prepareVictim(context: FaultContext, id: number): Promise<Victim> {
  const node = runningNode(context, id);
  return { node, control: await listeningControl(context, node) };
}

const pollMs = 10;

/** Until something is written that is not durable, or for so long. */
async function holdSyncs(control: FaultControl, heldMs: number): Promise<void> {
  if (heldMs === 0) return;
  await control.apply({ fault: 'stall', operations: ['datasync'], ttlMs: heldMs });
  const endMs = performance.now() + heldMs;
  while (performance.now() < endMs && (await control.describe()).unsynced.bytes === 0) await delay(pollMs);
}

async function failPower(
  context: FaultContext,
  { node, control }: Victim,
  loss: Omit<z.infer<typeof powerLossParameters>, 'syncsHeldMs'>,
  losses: Loss[],
): Promise<BegunFault> {
  const hasEnded = watchEnd(node);
  const withdraw = context.expectEnding(node.id);
  const heal = async (): Promise<void> => {
    startAgain(context, node);
    withdraw();
  };
  const lost = await control.apply({ fault: 'power-loss', ...loss }).catch(async (error: unknown) => {
    await heal();
    throw error;
  });
  losses.push({ ...lost, node: node.id });
  const prove = async (ending: AbortSignal): Promise<readonly Proof[]> => {
    await lookUntil(ending, () => (hasEnded() ? true : undefined));
    return [proveKilled(node, hasEnded(), `node ${node.id} is without power`)];
  };
  return { prove, heal };
}

export const crashFaults: readonly Fault[] = [crashAt, powerLoss];
