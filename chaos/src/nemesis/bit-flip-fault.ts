/** A bit that turns over behind the back of a broker that runs. */
import { closeSync, existsSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import path from 'node:path';
import type { FlippedBit } from '@balsa/node/faults/bit-flip.ts';
import * as z from 'zod';
import type { Proof } from '../cluster/proofs.ts';
import { beginOnEach, runningNode, startAgain } from './begun.ts';
import { defineFault } from './fault.ts';
import { listeningControl } from './in-broker.ts';

export const bitFlip = defineFault({
  name: 'bit-flip',
  family: 'damage',
  summary: 'One bit of the journal turns over on the disk while the broker runs',
  parameters: z.strictObject({ files: z.string().max(200).default('.segment').describe('strikes only files whose path contains this') }),
  needs: ['unsafe-faults'],
  describe: (nodes) => `a turned bit in the journal of ${nodes}`,
  begin: (context, nodes, { files }) =>
    beginOnEach(nodes, async (id) => {
      const node = runningNode(context, id);
      const control = await listeningControl(context, node);
      const withdraw = context.expectEnding(id);
      const flipped = await control.apply({ fault: 'bit-flip', files });
      // Seen at once: the broker may mend it any moment.
      const proof = proveFlipped(id, flipped);
      const heal = async (): Promise<void> => {
        takeBack(flipped);
        startAgain(context, node);
        withdraw();
      };
      return { prove: async () => [proof], heal };
    }),
});

function proveFlipped(id: number, { file, position, before }: FlippedBit): Proof {
  const now = readFileSync(file)[position];
  const evidence = `${path.basename(file)} at ${position}: ${before} before, ${now} on the disk`;
  return { claim: `a bit in a file of node ${id} has turned`, holds: now !== before, evidence };
}

/** What the broker has not come across until then would meet the next fault, and be another experiment. */
function takeBack({ file, position, before, after }: FlippedBit): void {
  if (!existsSync(file)) return;
  const descriptor = openSync(file, 'r+');
  try {
    const now = Buffer.alloc(1);
    readSync(descriptor, now, 0, 1, position);
    if (now[0] === after) writeSync(descriptor, Buffer.from([before]), 0, 1, position);
  } finally {
    closeSync(descriptor);
  }
}
