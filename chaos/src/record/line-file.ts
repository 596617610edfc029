/**
 * A file of JSON lines that is written while a run goes on. What was added reaches the operating
 * system within `flushMs`; so a harness that is killed has lost no more than that.
 *
 * Bound: lines wait in memory while the disk is slow; beyond `waitingBytesMax` the run fails
 * rather than to eat the machine's memory.
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';

export interface LineFile {
  /** Throws once the file has failed or too much is waiting. */
  readonly add: (value: object) => void;
  /** Settles when everything is written. */
  readonly close: () => Promise<void>;
}

const flushMs = 200;
const waitingBytesMax = 256 * 1024 * 1024;

export function openLineFile(file: string): LineFile {
  const stream = createWriteStream(file);
  let failed: Error | undefined;
  stream.on('error', (error) => {
    failed = error;
  });
  let lines: string[] = [];
  const flush = (): void => {
    if (lines.length === 0) return;
    stream.write(lines.join(''));
    lines = [];
  };
  const timer = setInterval(flush, flushMs);
  return {
    add: (value) => {
      if (failed !== undefined) throw failed;
      if (stream.writableLength > waitingBytesMax)
        throw new Error(`${file}: the disk is too slow, ${stream.writableLength} bytes are waiting`);
      lines.push(`${JSON.stringify(value)}\n`);
    },
    close: async () => {
      clearInterval(timer);
      flush();
      if (!stream.errored) stream.end();
      if (!stream.closed) await once(stream, 'close');
      if (failed !== undefined) throw failed;
    },
  };
}
