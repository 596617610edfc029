/** docs/errors.md and the code table say the same, both ways. */
import { readFileSync } from 'node:fs';
import { errorTable } from '@balsa/proto/errors';
import { exitCodes } from '@balsa/node/assembly/exit-code.ts';
import { expect, test } from 'vitest';

const document = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');

interface Row {
  readonly retriable: boolean;
  readonly effect: string;
  readonly meaning: string;
  readonly remedy: string;
}

/** Rows of the table in the document: | `CODE` | retriable | effect | meaning | remedy | */
function documentedRows(): Map<string, Row> {
  const rows = new Map<string, Row>();
  for (const line of document.split('\n')) {
    const cells = /^\| `([A-Z_]+)` \| (yes|no) \| (none|unknown) \| (.*) \| (.*) \|$/.exec(line);
    if (cells === null) continue;
    const [, code = '', retriable, effect = '', meaning = '', remedy = ''] = cells;
    expect(rows.has(code), `${code} is documented once`).toBe(false);
    rows.set(code, { retriable: retriable === 'yes', effect, meaning, remedy });
  }
  return rows;
}

test('every code of the table is documented with the same facts, and no other', () => {
  const documented = documentedRows();
  expect([...documented.keys()].sort()).toEqual(Object.keys(errorTable).sort());
  for (const [code, facts] of Object.entries(errorTable)) expect(documented.get(code), code).toEqual(facts);
});

test('every exit code of a broker is documented', () => {
  const rows = [...document.matchAll(/^\| (\d+) \| `([A-Z_]+)` \|/gm)].map(([, code, name]) => [name, Number(code)]);
  expect(rows).toEqual(Object.entries(exitCodes).map(([name, { code }]) => [name, code]));
});
