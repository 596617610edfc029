import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { runCli } from '../../../client/cli/program.ts';
import { testTerminal } from './stand-ins/terminal.ts';

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { io, out, err } = testTerminal();
  const code = await runCli(args, io);
  return { code, out: out(), err: err() };
}

describe('command line', () => {
  test('--help is success on stdout and explains the exit codes', async () => {
    const { code, out, err } = await run('--help');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('130  interrupted');
  });

  test.each([[['frob']], [['dev', '--frob']], [['dev', '--nodes', '0']], [['node']], [[]]])(
    '%j is a usage error with a hint',
    async (args) => {
      const { code, out, err } = await run(...args);
      expect({ code, out }).toEqual({ code: 2, out: '' });
      expect(err).toMatch(/next: |Usage: /);
    },
  );

  test('the launcher passes arguments and the exit code through', () => {
    const launcher = fileURLToPath(new URL('../../../client/cli/balsa.js', import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, [launcher, 'dev', '--nodes', 'many'], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 2, stderr: 'error: --nodes is "many"\n  next: give a whole number, 1 to 9\n' });
  });
});
