/** Real processes that do nothing but exist, ended by `endAll`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

const duties: (() => unknown)[] = [];

export async function endAll(): Promise<void> {
  for (let duty = duties.pop(); duty !== undefined; duty = duties.pop()) await duty();
}

export function onEnd(duty: () => unknown): void {
  duties.push(duty);
}

export async function startChild(): Promise<ChildProcess & { readonly pid: number }> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1_000)'], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  duties.push(() => {
    child.kill('SIGKILL');
    return ended;
  });
  await once(child, 'spawn');
  return child as ChildProcess & { readonly pid: number };
}
