/** What the operating system says of a process. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** `paused`: stopped by a signal. `gone`: there is no such process, or only its exit code is left. */
export type ProcessState = 'running' | 'paused' | 'gone';

const hasProc = process.platform === 'linux';
const psTimeoutMs = 5_000;

export async function processState(pid: number): Promise<ProcessState> {
  const letter = hasProc ? await fromProc(pid) : await fromPs(pid);
  if (letter === undefined || letter === 'Z' || letter === 'X') return 'gone';
  return letter === 'T' ? 'paused' : 'running';
}

/** `/proc/<pid>/stat`: pid (name) state ...; the name may hold anything, also parentheses. */
async function fromProc(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat === '' ? undefined : stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
}

async function fromPs(pid: number): Promise<string | undefined> {
  const answer = await promisify(execFile)('ps', ['-o', 'state=', '-p', String(pid)], { timeout: psTimeoutMs }).catch(() => undefined);
  const state = answer?.stdout.trim() ?? '';
  return state === '' ? undefined : state.slice(0, 1);
}
