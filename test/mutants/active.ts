/**
 * The mutant that the environment asks for, and the proof that it was planted.
 *
 *   BALSA_MUTANT         its id; unknown ids throw, so that a typing error is no survivor
 *   BALSA_MUTANT_PROOF   file that gets a line with the id each time the patched source is loaded
 */
import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { mutantOf } from './catalogue/index.ts';
import { applyPatch } from './patch.ts';

export const mutantVariable = 'BALSA_MUTANT';
export const proofVariable = 'BALSA_MUTANT_PROOF';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface ActiveMutant {
  /** Absolute path, links resolved. */
  readonly path: string;
  readonly patch: (source: string) => string;
}

/** Undefined if no mutant is asked for. */
export function activeMutant(environment: NodeJS.ProcessEnv): ActiveMutant | undefined {
  const id = environment[mutantVariable];
  if (id === undefined || id === '') return undefined;
  const mutant = mutantOf(id);
  const proof = environment[proofVariable];
  return {
    path: path.join(root, mutant.file),
    patch: (source) => {
      const patched = applyPatch(mutant, source);
      if (proof !== undefined) appendFileSync(proof, `${mutant.id}\n`);
      return patched;
    },
  };
}
