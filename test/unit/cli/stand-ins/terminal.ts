/** An Io whose streams are strings, as a terminal or as pipes. */
import { Readable, Writable } from 'node:stream';
import type { Io } from '../../../../client/cli/terminal/io.ts';

export interface TestTerminal {
  readonly io: Io;
  readonly out: () => string;
  readonly err: () => string;
  readonly interrupt: () => void;
}

export interface TestTerminalOptions {
  readonly tty?: boolean;
  readonly env?: Record<string, string>;
  readonly stdin?: string;
  readonly nowMs?: () => number;
}

export function testTerminal({ tty = false, env = {}, stdin = '', nowMs = () => 0 }: TestTerminalOptions = {}): TestTerminal {
  const controller = new AbortController();
  const stdout = collector(tty);
  const stderr = collector(tty);
  const input = Object.assign(Readable.from([Buffer.from(stdin)]), { isTTY: tty });
  return {
    io: { stdin: input, stdout: stdout.stream, stderr: stderr.stream, env, signal: controller.signal, nowMs },
    out: stdout.text,
    err: stderr.text,
    interrupt: () => controller.abort(),
  };
}

function collector(isTTY: boolean): { stream: Io['stdout']; text: () => string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return { stream: Object.assign(stream, { isTTY, columns: 100 }), text: () => Buffer.concat(chunks).toString('utf8') };
}
