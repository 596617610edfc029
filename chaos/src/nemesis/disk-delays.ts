/** Disks that take their time: inside of the broker, at the port to the disk. */
import { type DiskOperation, diskOperations } from '@balsa/node/faults/command.ts';
import * as z from 'zod';
import type { Proof } from '../cluster/proofs.ts';
import { beginOnEach, lookUntil, pauseFor, proveBy } from './begun.ts';
import { increase, type Metrics, readMetrics } from './broker-metrics.ts';
import { defineFault, type Fault } from './fault.ts';
import { type ArmedFault, arm, proveStruck } from './in-broker.ts';

const needs = ['unsafe-faults'] as const;
const family = 'storage';
const msPerSecond = 1000;
const stalledMs = 300;

const files = z.string().max(200).default('').describe('strikes only files whose path contains this');
const operationList = z.array(z.enum(diskOperations)).min(1);

const concernsWrites = (operations: readonly DiskOperation[]): boolean => operations.includes('datasync') || operations.includes('write');

export const slowDisk = defineFault({
  name: 'slow-disk',
  family,
  summary: 'Operations of the disk take longer by so much',
  parameters: z.strictObject({
    files,
    delayMs: z.number().int().min(1).max(60_000).default(100),
    operations: operationList.default(['datasync']),
  }),
  needs,
  describe: (nodes, { delayMs, operations }) => `${delayMs} ms more for ${operations.join(', ')} on ${nodes}`,
  begin: (context, nodes, parameters) =>
    beginOnEach(nodes, async (id) => {
      const before = await readMetrics(context.cluster.node(id));
      const armed = await arm(context, id, { fault: 'slow-disk', ...parameters });
      const prove = async (): Promise<Proof> =>
        concernsWrites(parameters.operations)
          ? proveSyncSlow(armed, before, await readMetrics(armed.node), parameters.delayMs)
          : proveStruck(armed, 'operations are slow');
      return { prove: async (ending) => [await proveBy(ending, prove)], heal: armed.heal };
    }),
});

/** By the broker's own measure: writes with their syncs take as long on the average, those that were under way already set aside. */
function proveSyncSlow({ node }: ArmedFault, before: Metrics, after: Metrics, delayMs: number): Proof {
  const count = increase(before, after, 'balsa_journal_sync_seconds_count') ?? 0;
  const totalMs = (increase(before, after, 'balsa_journal_sync_seconds_sum') ?? 0) * msPerSecond;
  const evidence = `${count} writes with their syncs took ${Math.round(totalMs)} ms`;
  return { claim: `the disk of node ${node.id} is slow`, holds: count > 0 && totalMs / count >= delayMs / 2, evidence };
}

export const stall = defineFault({
  name: 'stall',
  family,
  summary: 'Operations of the disk wait until the fault is over',
  parameters: z.strictObject({ files, operations: operationList.default(['datasync']) }),
  needs,
  describe: (nodes, { operations }) => `a standstill of ${operations.join(', ')} on ${nodes}`,
  begin: (context, nodes, parameters) =>
    beginOnEach(nodes, async (id) => {
      const armed = await arm(context, id, { fault: 'stall', ...parameters });
      const prove = (ending: AbortSignal): Promise<Proof> =>
        concernsWrites(parameters.operations) ? proveStalled(armed, ending) : proveBy(ending, () => proveStruck(armed, 'operations wait'));
      return { prove: async (ending) => [await prove(ending)], heal: armed.heal };
    }),
});

/** Operations wait, and the broker finishes no write between two looks. */
async function proveStalled(armed: ArmedFault, ending: AbortSignal): Promise<Proof> {
  const { node, struck } = armed;
  await lookUntil(ending, async () => ((await struck()) > 0 ? true : undefined));
  const before = await readMetrics(node);
  await pauseFor(stalledMs, ending);
  const done = increase(before, await readMetrics(node), 'balsa_journal_sync_seconds_count');
  const waiting = await struck();
  const evidence = `${waiting} operations wait, ${done ?? 'an unknown number of'} syncs were finished in ${stalledMs} ms`;
  return { claim: `the disk of node ${node.id} stands still`, holds: waiting > 0 && done === 0, evidence };
}

export const diskDelays: readonly Fault[] = [slowDisk, stall];
