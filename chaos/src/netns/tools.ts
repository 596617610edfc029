/** The system's own programs for networks, run with a time limit. */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** Administrators' programs are not on everybody's path. */
const moreFolders = ['/usr/sbin', '/sbin', '/usr/local/sbin'];
const toolMsMax = 10_000;
const outputBytesMax = 1024 * 1024;

export class ToolFailed extends Error {
  override readonly name: string = 'ToolFailed';
}

/** Its full name; undefined if it is not installed. */
export function findTool(name: string): string | undefined {
  if (path.isAbsolute(name)) return isProgram(name) ? name : undefined;
  const folders = [...(process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== ''), ...moreFolders];
  return folders.map((folder) => path.join(folder, name)).find(isProgram);
}

/** The first of `command` by its full name; rejects with ToolFailed if it is not installed. */
export function resolved([name = '', ...args]: readonly string[]): readonly [string, ...string[]] {
  const program = findTool(name);
  if (program === undefined) throw new ToolFailed(`the program ${name} is not installed`);
  return [program, ...args];
}

/** What it wrote; rejects with what it complained about. */
export async function runTool(command: readonly string[], input = ''): Promise<string> {
  const [program, ...args] = resolved(command);
  return await new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: toolMsMax, killSignal: 'SIGKILL' });
    const written = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].on('data', (bytes: Buffer) => {
        if (written[name].length < outputBytesMax) written[name] += bytes.toString();
      });
    }
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    child.once('error', (error) => reject(new ToolFailed(`${command.join(' ')}: ${error.message}`)));
    child.once('close', (code, signal) => {
      if (code === 0) resolve(written.stdout);
      else reject(new ToolFailed(`${command.join(' ')}: ${written.stderr.trim().split('\n')[0] ?? ''} (${signal ?? code})`));
    });
  });
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
