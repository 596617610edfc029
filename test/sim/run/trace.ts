/** The trace of a run as a hash, and as counts: equal seeds must give equal hashes, and interesting things must be counted at all. */
import { createHash } from 'node:crypto';

export interface Trace {
  /** `facts` tell events of one name apart; they count for the hash only. */
  readonly note: (what: string, facts?: string) => void;
  readonly counts: ReadonlyMap<string, number>;
  /** Ends the trace. */
  readonly digest: () => string;
}

/** Lines are hashed many at a time: a call costs more than a line. */
const hashedChars = 1 << 16;

/** `onLine` sees every event, for people who look at one run. */
export function createTrace(nowMs: () => number, onLine?: (line: string) => void): Trace {
  const hash = createHash('sha256');
  let pending = '';
  const flush = (): void => {
    hash.update(pending);
    pending = '';
  };
  const counts = new Map<string, number>();
  return {
    note: (what, facts = '') => {
      const line = `${nowMs()} ${what} ${facts}\n`;
      pending += line;
      if (pending.length >= hashedChars) flush();
      counts.set(what, (counts.get(what) ?? 0) + 1);
      onLine?.(line);
    },
    counts,
    digest: () => {
      flush();
      return hash.digest('hex');
    },
  };
}
