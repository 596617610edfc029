/** The catalogue against the sources of today: cheap, so that a change of the code finds its mutants at once. */
import { existsSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import path from 'node:path';
import { expect, test } from 'vitest';
import { bugRows, mutantOf, mutants, notApplicable } from './catalogue/index.ts';
import { root } from './checks.ts';
import { applyPatch, type VitestCheck } from './patch.ts';

const sourceOf = (file: string): string => readFileSync(path.join(root, file), 'utf8');

test('ids are unique, and no bug is planted twice', () => {
  expect(new Set(mutants.map(({ id }) => id)).size).toBe(mutants.length);
  expect(new Set(mutants.map(({ file, find, replace }) => JSON.stringify([file, find.trim(), replace.trim()]))).size).toBe(mutants.length);
  expect(mutantOf('B4').row).toBe('B4');
  expect(() => mutantOf('B99')).toThrow(/no mutant B99/);
});

test('every row of the bug catalogue has a mutant, or a reason why it cannot have one yet', () => {
  const planted = new Set(mutants.map(({ row }) => row));
  const excused = new Set(notApplicable.map(({ row }) => row));
  expect(bugRows.filter((row) => planted.has(row) === excused.has(row))).toEqual([]);
  expect(mutants.filter(({ row }) => /^B\d/.test(row) && !bugRows.includes(row))).toEqual([]);
});

test('a row is excused only as long as its feature is not there', () => {
  expect(notApplicable.flatMap(({ until }) => until).filter((file) => existsSync(path.join(root, file)))).toEqual([]);
});

test('there are bugs beyond the catalogue, in every place where acknowledged data can get lost, or work stand still', () => {
  const ours = mutants.filter(({ row }) => !bugRows.includes(row)).map(({ row }) => row);
  expect(ours.length).toBeGreaterThanOrEqual(14);
  const areas = ['journal', 'recovery', 'repair', 'producer table', 'visibility', 'client retry', 'client reads', 'waiting'];
  expect([...new Set(ours)].toSorted()).toEqual(areas.toSorted());
});

test('some bugs must be noticed by whole simulated clusters, too', () => {
  expect(mutants.filter(({ bySimulation }) => bySimulation !== undefined).length).toBeGreaterThanOrEqual(6);
});

test.each(mutants)('$id fits the source, changes it, and what comes out is a program', (mutant) => {
  const source = sourceOf(mutant.file);
  const patched = applyPatch(mutant, source);
  expect(patched).not.toBe(source);
  expect(() => stripTypeScriptTypes(patched)).not.toThrow();
});

test('a text that is gone or there twice is an error that names the mutant', () => {
  const patch = { id: 'X1', file: 'a.ts', find: 'one', replace: 'two' };
  expect(applyPatch(patch, 'just one')).toBe('just two');
  expect(() => applyPatch(patch, 'nothing')).toThrow(/mutant X1: its text occurs 0 times in a\.ts/);
  expect(() => applyPatch(patch, 'one and one')).toThrow(/mutant X1: its text occurs 2 times/);
});

test('a replacement is taken as it is, whatever it looks like', () => {
  expect(applyPatch({ id: 'X1', file: 'a.ts', find: 'one', replace: '$& $1' }, 'one')).toBe('$& $1');
});

test('every check names a file and tests that are there', () => {
  const checks = mutants.flatMap(({ checks: all }) => all).filter((check): check is VitestCheck => check.kind === 'vitest');
  const missing = checks.filter(({ file, test: name = '' }) => {
    if (!existsSync(path.join(root, file))) return true;
    if (name.endsWith('.txt')) return !existsSync(path.join(root, 'test/interaction/scripts', name));
    return !sourceOf(file).includes(name);
  });
  expect(missing).toEqual([]);
});
