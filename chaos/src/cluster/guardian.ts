/**
 * A process that outlives the harness by a moment: when its standard input ends, because
 * the harness has ended in whatever way, it kills every broker that is still owned and
 * sees them gone, runs the commands that undo what was done to the system, and removes
 * the folders that are not to be kept.
 *
 * The brokers end by themselves when they lose the harness (the orphan guard of local
 * clusters), but not while they are paused, and not their data.
 *
 * Input: see guard-order.ts. A line that was cut short by the end of the harness is no order.
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Order } from './guard-order.ts';
import { processState } from './process-state.ts';

const removalRetries = 10;
const commandMsMax = 10_000;
/** What the system takes to end a process that writes a lot. */
const dyingMsMax = 10_000;
const pollMs = 5;
const owned = new Set<number>();
const folders = new Set<string>();
const commands: (readonly string[])[] = [];

// A Ctrl-C on the terminal is for the harness; this process ends after it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

for await (const line of createInterface({ input: process.stdin })) {
  const { own, disown, remove, undo } = orderOf(line);
  if (own !== undefined) owned.add(own);
  if (disown !== undefined) owned.delete(disown);
  if (remove !== undefined) folders.add(remove);
  if (undo !== undefined) commands.push(undo);
}

for (const pid of owned) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
const endMs = performance.now() + dyingMsMax;
for (const pid of owned) while ((await processState(pid)) !== 'gone' && performance.now() < endMs) await delay(pollMs);
for (const [program = '', ...args] of commands.toReversed()) spawnSync(program, args, { stdio: 'ignore', timeout: commandMsMax });
for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: removalRetries });

function orderOf(line: string): Order {
  try {
    return JSON.parse(line) as Order;
  } catch {
    return {};
  }
}
