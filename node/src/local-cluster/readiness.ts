/** Asks a broker's HTTP endpoint whether it is ready, and waits until several are. */
import { setTimeout as delay } from 'node:timers/promises';

const probeTimeoutMs = 1000;
const pollIntervalMs = 50;

/** True if `/readyz` answers 200. A refused connection, a time-out and any other answer mean false. */
export async function probeReady(httpAddress: string): Promise<boolean> {
  try {
    const response = await fetch(`http://${httpAddress}/readyz`, { signal: AbortSignal.timeout(probeTimeoutMs) });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}

/**
 * Polls until every probe has said yes, and returns the positions of those that have not
 * when `timeoutMs` is over. `cancelled` ends the wait early.
 */
export async function pollUntilReady(
  probes: readonly (() => Promise<boolean>)[],
  timeoutMs: number,
  cancelled: () => boolean,
): Promise<readonly number[]> {
  const deadlineMs = performance.now() + timeoutMs;
  let waiting = probes.map((_, i) => i);
  for (;;) {
    const answers = await Promise.all(waiting.map(async (i) => ({ i, ready: (await probes[i]?.()) === true })));
    waiting = answers.filter(({ ready }) => !ready).map(({ i }) => i);
    if (waiting.length === 0 || cancelled() || performance.now() >= deadlineMs) return waiting;
    await delay(pollIntervalMs);
  }
}
