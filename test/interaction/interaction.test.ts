/**
 * Golden scripts of the consensus core. Each file in scripts/ is a run of a small
 * cluster with everything that it did, written down. `BALSA_REWRITE=1` records the
 * outputs again; keep a changed output only if you understand what caused it.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { runScript } from './run-script.ts';
import { formatScript } from './script-file.ts';

const folder = fileURLToPath(new URL('./scripts/', import.meta.url));
const scripts = readdirSync(folder)
  .filter((name) => name.endsWith('.txt'))
  .sort();
const rewrite = process.env['BALSA_REWRITE'] === '1';

describe('interaction', () => {
  test.each(scripts)('%s', (name) => {
    const { actual, recorded, violations } = runScript(readFileSync(folder + name, 'utf8'));
    if (rewrite) writeFileSync(folder + name, formatScript(actual));
    expect(violations).toEqual([]);
    if (!rewrite) expect(formatScript(actual)).toEqual(formatScript(recorded));
  });
});
