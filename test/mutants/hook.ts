/**
 * Plants the mutant named by BALSA_MUTANT in a plain Node program:
 *
 *   BALSA_MUTANT=B4 node --import "$PWD/test/mutants/hook.ts" program.ts
 *
 * Links are resolved before a module is loaded, so `@balsa/node/...` is patched like a
 * relative import.
 */
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import { activeMutant } from './active.ts';

const active = activeMutant(process.env);

if (active !== undefined) {
  const target = pathToFileURL(active.path).href;
  registerHooks({
    load: (url, context, nextLoad) => {
      const loaded = nextLoad(url, context);
      if (url.split('?')[0] !== target) return loaded;
      if (loaded.source === undefined || loaded.source === null) throw new Error(`no source of ${url}`);
      const { source } = loaded;
      return { ...loaded, source: active.patch(typeof source === 'string' ? source : new TextDecoder().decode(source)) };
    },
  });
}
