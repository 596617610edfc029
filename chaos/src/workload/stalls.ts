/**
 * Whether the harness itself was held up: a timer that comes late measures its own event loop
 * and its machine. What clients measured at such a time says little about the cluster.
 */
const everyMs = 10;
/** Below what counts as unavailable (availability/analyse.ts), so that no stall can pass for an outage unseen. */
export const stallMsMin = 50;
/** On a machine that is always late one word per second is enough. */
const tellMs = 1000;

export interface StallMeter {
  /** The timer has come. */
  readonly tick: (nowMs: number) => void;
  readonly end: () => void;
}

/**
 * Tells of a stall at once; of those that follow within a second, of their sum when it is over.
 * A stall is told as up to `everyMs` shorter than it was. Pure; time comes in.
 */
export function createStallMeter(startMs: number, onStall: (ms: number) => void): StallMeter {
  let lastMs = startMs;
  let toldMs = -Infinity;
  let untoldMs = 0;
  const tell = (nowMs: number): void => {
    if (untoldMs > 0) onStall(untoldMs);
    untoldMs = 0;
    toldMs = nowMs;
  };
  return {
    tick: (nowMs) => {
      const lateMs = nowMs - lastMs - everyMs;
      lastMs = nowMs;
      if (lateMs >= stallMsMin) untoldMs += lateMs;
      if (untoldMs > 0 && nowMs - toldMs >= tellMs) tell(nowMs);
    },
    end: () => tell(lastMs),
  };
}

/** What is returned ends the watch. */
export function watchStalls(onStall: (ms: number) => void): () => void {
  const meter = createStallMeter(performance.now(), onStall);
  const timer = setInterval(() => meter.tick(performance.now()), everyMs);
  return () => {
    clearInterval(timer);
    meter.end();
  };
}
