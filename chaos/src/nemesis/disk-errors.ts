/** Disks that fail, are full, or lie: inside of the broker, at the port to the disk. */
import * as z from 'zod';
import type { Proof } from '../cluster/proofs.ts';
import { startBallast } from './ballast.ts';
import { beginOnEach, proveBy } from './begun.ts';
import { readMetrics } from './broker-metrics.ts';
import { type BegunFault, defineFault, type Fault, type FaultContext } from './fault.ts';
import { type ArmedFault, arm, type LastingRequest, proveStorageFailed, proveStruck } from './in-broker.ts';

const needs = ['unsafe-faults'] as const;
const family = 'storage';
const million = 1_000_000;

const files = z.string().max(200).default('').describe('strikes only files whose path contains this');
const rare = {
  files,
  perMillion: z.number().int().min(1).max(million).default(million).describe('of so many operations out of a million'),
  times: z.number().int().min(1).max(million).optional().describe('ends after so many strikes'),
};

/** An error that a broker must not survive: nobody knows what is on the disk. */
export const syncError = defineFault({
  name: 'sync-error',
  family,
  summary: 'fsync fails and what it was to make durable is lost: the broker has to end',
  parameters: z.strictObject(rare),
  needs,
  describe: (nodes) => `failing fsync on ${nodes}`,
  begin: (context, nodes, parameters) =>
    beginOnEach(nodes, async (id) => {
      const armed = await arm(context, id, { fault: 'sync-error', ...parameters }, { endsProcess: true });
      return { prove: async (ending) => [await proveBy(ending, () => proveStorageFailed(armed))], heal: armed.heal };
    }),
});

/** Breaks every promise on purpose: it shows that the checker sees the loss. */
export const lyingSync = defineFault({
  name: 'lying-sync',
  family,
  summary: 'fsync is answered at once and makes nothing durable: a loss of power then breaks promises',
  parameters: z.strictObject({ files }),
  needs,
  describe: (nodes) => `a lying fsync on ${nodes}`,
  begin: (context, nodes, parameters) =>
    beginOnEach(nodes, async (id) => {
      const armed = await arm(context, id, { fault: 'lying-sync', ...parameters });
      const prove = async (): Promise<Proof> => {
        const { bytes } = (await context.control(id).describe()).unsynced;
        const times = await armed.struck();
        const evidence = `${times} syncs were answered and not done, ${bytes} bytes are not durable`;
        return { claim: `node ${id} takes for durable what is not`, holds: times > 0 && bytes > 0, evidence };
      };
      return { prove: async (ending) => [await proveBy(ending, prove)], heal: armed.heal };
    }),
});

const code = z.enum(['EIO', 'ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS']);

export const writeError = defineFault({
  name: 'write-error',
  family,
  summary: 'Writes fail with an error of the device or of a limit',
  parameters: z.strictObject({ ...rare, code: code.default('EIO') }),
  needs,
  describe: (nodes, parameters) => `writes that fail with ${parameters.code} on ${nodes}`,
  begin: (context, nodes, parameters) => beginErrors(context, nodes, { fault: 'write-error', ...parameters }, 'writes fail'),
});

export const shortWrite = defineFault({
  name: 'short-write',
  family,
  summary: 'Writes stop somewhere in their middle, and fail',
  parameters: z.strictObject({ ...rare, code: code.default('ENOSPC') }),
  needs,
  describe: (nodes, parameters) => `short writes (${parameters.code}) on ${nodes}`,
  begin: (context, nodes, parameters) => beginErrors(context, nodes, { fault: 'short-write', ...parameters }, 'writes are cut short'),
});

export const readError = defineFault({
  name: 'read-error',
  family,
  summary: 'Reads fail; it takes reads of what is not in memory',
  parameters: z.strictObject(rare),
  needs,
  describe: (nodes) => `failing reads on ${nodes}`,
  begin: (context, nodes, parameters) => beginErrors(context, nodes, { fault: 'read-error', ...parameters }, 'reads fail'),
});

/** Errors that a broker may live with or not. */
function beginErrors(context: FaultContext, nodes: readonly number[], request: LastingRequest, what: string): Promise<BegunFault> {
  return beginOnEach(nodes, async (id) => {
    const armed = await arm(context, id, request, { endsProcess: true });
    const prove = (): Proof | Promise<Proof> => (armed.hasEnded() ? proveStorageFailed(armed) : proveStruck(armed, what));
    return { prove: async (ending) => [await proveBy(ending, prove)], heal: armed.heal };
  });
}

export const diskFull = defineFault({
  name: 'disk-full',
  family,
  summary: 'Files can grow by so many bytes and no more, and the space that is prepared is filled up',
  parameters: z.strictObject({ files, bytes: z.number().int().min(0).default(0) }),
  needs,
  describe: (nodes, { bytes }) => `a disk with room for ${bytes} bytes on ${nodes}`,
  begin: async (context, nodes, parameters) => {
    const full = await beginOnEach(nodes, async (id) => {
      const armed = await arm(context, id, { fault: 'disk-full', ...parameters });
      return { prove: async (ending) => [await proveBy(ending, () => proveFull(armed))], heal: armed.heal };
    });
    try {
      const ballast = await startBallast(context, nodes);
      const heal = async (): Promise<void> => {
        await full.heal();
        await ballast.stop();
      };
      return { ...full, heal };
    } catch (error) {
      await full.heal();
      throw error;
    }
  },
});

async function proveFull({ node }: ArmedFault): Promise<Proof> {
  const isFull = (await readMetrics(node)).get('balsa_journal_full') === 1;
  const evidence = `it ${isFull ? 'refuses' : 'does not refuse'} writes for lack of space`;
  return { claim: `node ${node.id} takes its disk for full`, holds: isFull, evidence };
}

export const diskErrors: readonly Fault[] = [syncError, lyingSync, writeError, readError, shortWrite, diskFull];
