/** What the guardian does when it is released, and when nobody is left to release it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startGuard } from '@balsa/chaos/cluster/guard.ts';
import { processState } from '@balsa/chaos/cluster/process-state.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../chaos-links/echo.ts';
import { endAll, onEnd, startChild } from './child.ts';

let folder: string;
let doomed: string;
let journal: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'balsa-guard-'));
  onEnd(() => rmSync(folder, { recursive: true }));
  doomed = mkdtempSync(path.join(folder, 'doomed-'));
  writeFileSync(path.join(doomed, 'file'), 'data');
  journal = path.join(folder, 'journal');
});
afterEach(endAll);

/** A command that leaves a word. */
const say = (word: string): readonly string[] => ['/bin/sh', '-c', `echo ${word} >> ${journal}`];

test('ends what it owns, runs what undoes, last first, and removes folders; not what was disowned', async () => {
  const guard = startGuard();
  const [owned, disowned, paused] = await Promise.all([startChild(), startChild(), startChild()]);
  paused.kill('SIGSTOP');
  for (const { pid } of [owned, disowned, paused]) guard.own(pid);
  guard.disown(disowned.pid);
  guard.remove(doomed);
  for (const command of [say('first'), ['/no/such/program'], ['/bin/false'], say('last')]) guard.undo(command);
  expect([existsSync(doomed), guard.isReleased()]).toEqual([true, false]);
  await guard.release();
  expect(readFileSync(journal, 'utf8')).toBe('last\nfirst\n');
  expect([existsSync(doomed), guard.isReleased()]).toEqual([false, true]);
  expect(await Promise.all([owned, disowned, paused].map(({ pid }) => processState(pid)))).toEqual(['gone', 'running', 'gone']);
  expect(await processState(guard.pid!)).toBe('gone');
  expect(() => guard.own(owned.pid)).toThrow('before it is released');
});

test('does it too when the harness is killed in the middle of a word', async () => {
  const guardian = createRequire(import.meta.url).resolve('@balsa/chaos/cluster/guardian.ts');
  const process = spawn(globalThis.process.execPath, [guardian], { stdio: ['pipe', 'ignore', 'inherit'] });
  const owned = await startChild();
  process.stdin.write(`${JSON.stringify({ own: owned.pid })}\n${JSON.stringify({ remove: doomed })}\n{"own":1`);
  process.stdin.destroy();
  expect(await once(process, 'exit')).toEqual([0, null]);
  await until('the end of the child', async () => (await processState(owned.pid)) === 'gone');
  expect(existsSync(doomed)).toBe(false);
});
