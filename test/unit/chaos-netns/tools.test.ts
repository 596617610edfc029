/** Programs of the system: found, run, and heard when they complain. */
import { findTool, resolved, runTool, ToolFailed } from '@balsa/chaos/netns/tools.ts';
import { expect, test } from 'vitest';

test('a program is found by its name or its full name, and what is none is not', () => {
  const shell = findTool('sh')!;
  expect(shell).toMatch(/^\/.*\/sh$/);
  expect(findTool(shell)).toBe(shell);
  expect([findTool('no-such-program'), findTool('/no/such/program')]).toEqual([undefined, undefined]);
  expect(resolved(['sh', '-c', 'true'])).toEqual([shell, '-c', 'true']);
  expect(() => resolved(['no-such-program'])).toThrow('the program no-such-program is not installed');
});

test('answers with what it wrote, given what it reads', async () => {
  expect(await runTool(['sh', '-c', 'cat; echo more'], 'input ')).toBe('input more\n');
  expect(await runTool(['sh', '-c', 'exit 0'], 'that nobody reads'.repeat(100_000))).toBe('');
});

test('fails with what it complained about', async () => {
  await expect(runTool(['sh', '-c', 'echo first >&2; echo second >&2; exit 3'])).rejects.toThrow(/: first \(3\)$/);
  await expect(runTool(['sh', '-c', 'kill -9 $$'])).rejects.toThrow(/\(SIGKILL\)$/);
  await expect(runTool(['no-such-program'])).rejects.toThrow(ToolFailed);
});
