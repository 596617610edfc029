/**
 * House rules that no compiler checks: lengths, banned words, headers, generated
 * files, large blobs. Each rule names what is wrong and where.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const blobBytesMax = 512 * 1024;
const sourceLinesMax = 500;

/** Files that git tracks or would track. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((path) => path !== '' && existsSync(`${root}/${path}`));
const generated = (path: string): boolean => path.includes('/gen/');
const isTest = (path: string): boolean => path.startsWith('test/') || path.endsWith('.test.ts');
const sources = files.filter((path) => path.endsWith('.ts') && !generated(path) && !isTest(path));
const read = (path: string): string => readFileSync(`${root}/${path}`, 'utf8');

/** Lines that match, as "path:line". */
function hits(paths: readonly string[], pattern: RegExp): string[] {
  return paths.flatMap((path) =>
    read(path)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  );
}

describe('house rules', () => {
  test('the rules look at real files', () => {
    expect(sources.length).toBeGreaterThan(30);
  });

  test(`no source file is longer than ${sourceLinesMax} lines`, () => {
    expect(sources.filter((path) => read(path).split('\n').length > sourceLinesMax)).toEqual([]);
  });

  test('every source file begins with a comment that says what it is for', () => {
    expect(sources.filter((path) => !/^(#!.*\n)?\/\*\*/.test(read(path)))).toEqual([]);
  });

  test('no any in sources', () => {
    // Lines of comments may say "as any broker does".
    expect(hits(sources, /^(?!\s*(\/?\*|\/\/)).*(:\s*any\b|\bas any\b|<any>)/)).toEqual([]);
  });

  test('nothing is left undone in the code', () => {
    const words = ['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK'];
    expect(
      hits(
        files.filter((path) => /\.(ts|proto|js|md)$/.test(path) && !generated(path)),
        new RegExp(`\\b(${words.join('|')})\\b`),
      ),
    ).toEqual([]);
  });

  test('no test is skipped or focused', () => {
    expect(
      hits(
        files.filter((path) => path.endsWith('.test.ts')),
        /\b(it|test|describe)\.(skip|only|todo)\(/,
      ),
    ).toEqual([]);
  });

  test('the core has no clock and no chance', () => {
    const core = sources.filter((path) => path.startsWith('node/src/core/'));
    expect(hits(core, /\b(Date\.now|new Date|Math\.random|performance\.|process\.|setTimeout|Promise<|async |await )/)).toEqual([]);
  });

  test('no folder or file is called utils, helpers or common', () => {
    expect(files.filter((path) => /(^|\/)(utils?|helpers?|common|misc)(\/|\.|$)/.test(path))).toEqual([]);
  });

  test('names are kebab-case', () => {
    const allowed = /^(README|Makefile|LICENSE|CHANGELOG|\.)/;
    const names = files.flatMap((path) => path.split('/'));
    expect(names.filter((name) => !allowed.test(name) && !/^[a-z0-9.-]+$/.test(name) && !/^\d{4}-/.test(name))).toEqual([]);
  });

  test('no large blob and no generated folder is tracked', () => {
    expect(files.filter((path) => statSync(`${root}/${path}`).size > blobBytesMax && path !== 'package-lock.json')).toEqual([]);
    expect(files.filter((path) => /(^|\/)(node_modules|dist|coverage|\.cache|\.balsa)\//.test(path))).toEqual([]);
  });
});
