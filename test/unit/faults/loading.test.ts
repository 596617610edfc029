/** Without --unsafe-faults none of the code that hurts is loaded, and only the flag turns it on. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '@balsa/node/config/load.ts';
import { expect, test } from 'vitest';

const sources = fileURLToPath(new URL('../../../node/src', import.meta.url));

test('nothing outside of node/src/faults imports it, except for one dynamic import', () => {
  const files = readdirSync(sources, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map(({ parentPath, name }) => path.relative(sources, path.join(parentPath, name)))
    .filter((file) => !file.startsWith(`faults${path.sep}`));
  expect(files.length).toBeGreaterThan(100);
  const imports = files.flatMap((file) =>
    readFileSync(path.join(sources, file), 'utf8')
      .split('\n')
      .filter((line) => /(from|import)\b.*['"].*\/faults\//.test(line) && !line.startsWith('import type '))
      .map((line) => `${file}: ${line.trim()}`),
  );
  expect(imports).toEqual(["assembly/start-node.ts: const { faultySurroundings } = await import('../faults/faulty-surroundings.ts');"]);
});

const load = (args: readonly string[], env: Record<string, string> = {}) => loadConfig({ args, env });

test('only the flag turns it on, as it is written', () => {
  expect(load([])).toMatchObject({ kind: 'config', unsafeFaults: false });
  expect(load(['--unsafe-faults', '--node.id', '2'])).toMatchObject({ unsafeFaults: true, config: { node: { id: 2 } } });
  expect(load([], { BALSA_UNSAFE_FAULTS: 'true' })).toMatchObject({ unsafeFaults: false });
});

test.each([
  [['--unsafe-fault'], {}, 'Did you mean "unsafe-faults"?'],
  [['--unsafe-faults=false'], {}, 'takes no value'],
  [['--unsafe-faults', 'true'], {}, 'a flag starts with --'],
  [['--faults.unsafe', 'true'], {}, 'there is no such setting'],
  [[], { BALSA_FAULTS__UNSAFE: 'true' }, 'there is no such setting'],
  [[], { BALSA_UNSAFE__FAULTS: 'true' }, 'there is no such setting'],
])('%j %j is a mistake that is told, and the node does not start', (args, env, words) => {
  expect(() => load(args, env)).toThrow(words);
});
