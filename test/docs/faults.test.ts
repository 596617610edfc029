/** docs/operations.md lists every fault that a broker can be told to suffer with its fields, and every failpoint. */
import { readFileSync } from 'node:fs';
import { faultCommand } from '@balsa/node/faults/command.ts';
import { failpointNames } from '@balsa/node/faults/failpoint-names.ts';
import { expect, test } from 'vitest';

const document = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
const section = document.split('\n## Faults on purpose\n')[1]?.split('\n## ')[0] ?? '';
const quoted = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
const rows = section
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.slice(2, -2).split(' | '));

test('every command is documented with its fields', () => {
  const documented = rows
    .filter((cells) => cells.length === 3)
    .map(([name = '', , fields = '']) => {
      const named = quoted(fields.split(';')[0] ?? '');
      return [quoted(name)[0], (fields.includes('no `ttlMs`') ? named : [...named, 'ttlMs']).toSorted()];
    });
  const known = faultCommand.options.map(({ shape }) => {
    const { fault, ...fields } = shape;
    return [fault.value, Object.keys(fields).toSorted()];
  });
  expect(documented).toEqual(known);
});

test('every failpoint is documented', () => {
  const documented = rows.filter((cells) => cells.length === 2).flatMap(([names = '']) => quoted(names));
  expect(documented).toEqual([...failpointNames]);
});
