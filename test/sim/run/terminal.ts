/**
 * Where the command writes: what it found goes to stdout, how it gets on to stderr. On a
 * terminal the progress is one line that is written over; elsewhere it is a line now and then.
 */
export interface Terminal {
  readonly say: (text: string) => void;
  readonly complain: (text: string) => void;
  /** Shown soon, unless a later one comes first. */
  readonly progress: (line: () => string) => void;
  readonly stop: () => void;
}

const terminalMs = 500;
const logMs = 30_000;
const clearLine = '\r\u001B[K';

export function createTerminal(): Terminal {
  const { isTTY } = process.stderr;
  let latest: (() => string) | undefined;
  let isShown = false;
  const clear = (): void => {
    if (isShown) process.stderr.write(clearLine);
    isShown = false;
  };
  const show = (): void => {
    if (latest === undefined) return;
    if (!isTTY) return void process.stderr.write(`${latest()}\n`);
    process.stderr.write(`${clearLine}${latest().slice(0, process.stderr.columns - 1)}`);
    isShown = true;
  };
  const timer = setInterval(show, isTTY ? terminalMs : logMs);
  timer.unref();
  return {
    say: (text) => {
      clear();
      process.stdout.write(text);
    },
    complain: (text) => {
      clear();
      process.stderr.write(text);
    },
    progress: (line) => {
      latest = line;
    },
    stop: () => {
      clearInterval(timer);
      clear();
      latest = undefined;
    },
  };
}
