/**
 * Whether the harness itself was held up: a timer that comes late measures its own event loop
 * and its machine. What clients measured at such a time says little about the cluster.
 */
const everyMs = 10;
/** Below what counts as unavailable (availability/analyse.ts), so that no stall can pass for an outage unseen. */
export const stallMsMin = 50;

/** What is returned ends the watch. A stall is told as up to `everyMs` shorter than it was. */
export function watchStalls(onStall: (ms: number) => void): () => void {
  let lastMs = performance.now();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    const lateMs = nowMs - lastMs - everyMs;
    lastMs = nowMs;
    if (lateMs >= stallMsMin) onStall(lateMs);
  }, everyMs);
  return () => clearInterval(timer);
}
