/** The log of a node: JSON lines on stderr, or a readable form on a terminal. */
import type { Logger } from 'pino';
import { destination, pino, stdTimeFunctions } from 'pino';
import pretty from 'pino-pretty';

export type { Logger } from 'pino';

export interface LogOptions {
  readonly level: string;
  readonly format: 'auto' | 'json' | 'pretty';
  readonly nodeId: number;
}

const stderr = 2;
/** Lines wait here while stderr is slow; beyond it they are dropped rather than held. */
const bufferBytesMax = 4 * 1024 * 1024;

export interface NodeLog {
  readonly log: Logger;
  /** Writes what is still buffered; for the last words of a process. */
  readonly flush: () => void;
}

export function createLog({ level, format, nodeId }: LogOptions): NodeLog {
  const options = { level, base: { node: nodeId }, timestamp: stdTimeFunctions.isoTime };
  if (format === 'pretty' || (format === 'auto' && process.stderr.isTTY)) {
    const stream = pretty({ destination: stderr, sync: true, ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l' });
    return { log: pino(options, stream), flush: () => {} };
  }
  const stream = destination({ dest: stderr, sync: false, maxLength: bufferBytesMax });
  const flush = (): void => {
    try {
      stream.flushSync();
    } catch {
      // The stream was not open yet: nothing is buffered that could be saved.
    }
  };
  return { log: pino(options, stream), flush };
}

const summaryMs = 10_000;

/**
 * Writes the first of similar messages at once and then one line per period with their
 * number, so that a flood of failures cannot become a flood of lines.
 */
export function createSampledLog(write: (context: { readonly suppressed: number; readonly error: unknown }) => void, nowMs: () => number) {
  let nextMs = Number.NEGATIVE_INFINITY;
  let suppressed = 0;
  return (error: unknown): void => {
    if (nowMs() < nextMs) {
      suppressed += 1;
      return;
    }
    write({ suppressed, error });
    suppressed = 0;
    nextMs = nowMs() + summaryMs;
  };
}
