/**
 * Plants the mutant named by BALSA_MUTANT in the tests that vitest runs; does nothing without it.
 *
 * Vitest keeps transformed modules on disk between runs, by a key that does not know of
 * environment variables. With a mutant that cache is switched off: it would give the sound
 * source to this run, or worse, the bug to all later ones.
 */
import { activeMutant, mutantVariable } from './active.ts';

interface SourcePlugin {
  readonly name: string;
  /** Before anything else touches the source. */
  readonly enforce: 'pre';
  readonly transform: (code: string, id: string) => string | undefined;
}

export function mutantPlugin(environment: NodeJS.ProcessEnv): SourcePlugin {
  const active = activeMutant(environment);
  return {
    name: 'balsa-mutant',
    enforce: 'pre',
    transform: (code, id) => (active !== undefined && id.split('?')[0] === active.path ? active.patch(code) : undefined),
  };
}

/** Test settings that go with the plugin. */
export const moduleCache = (environment: NodeJS.ProcessEnv): { readonly fsModuleCache?: false } =>
  (environment[mutantVariable] ?? '') === '' ? {} : { fsModuleCache: false };
