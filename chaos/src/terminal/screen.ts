/** What a run shows: finished steps, one line of progress on a terminal, a table and a sentence at the end. */
import { stripVTControlCharacters, styleText } from 'node:util';

/** Whether it is as it has to be; undefined if it is neither good nor bad. */
export type SummaryRow = readonly [name: string, value: string, ok: boolean | undefined];

export interface Screen {
  /** A finished step; the time since the start stands in front. */
  readonly step: (text: string) => void;
  /** Replaces the line of progress; nothing outside of terminals. */
  readonly progress: (text: string) => void;
  readonly table: (rows: readonly SummaryRow[]) => void;
  readonly sentence: (text: string, ok: boolean) => void;
}

const clearLine = '\r\u001b[K';
const redrawMsMin = 100;

export function createScreen(out: NodeJS.WriteStream, startMs: number): Screen {
  const isTerminal = out.isTTY;
  let drawnMs = Number.NEGATIVE_INFINITY;
  const print = (text: string): void => {
    out.write(`${isTerminal ? clearLine : ''}${text}\n`);
    drawnMs = Number.NEGATIVE_INFINITY;
  };
  const elapsed = (): string => styleText('dim', `${((performance.now() - startMs) / 1000).toFixed(1).padStart(5)} s`);
  return {
    step: (text) => print(`${elapsed()}  ${text}`),
    progress: (text) => {
      const nowMs = performance.now();
      if (!isTerminal || nowMs - drawnMs < redrawMsMin) return;
      drawnMs = nowMs;
      out.write(`${clearLine}${elapsed()}  ${text.slice(0, out.columns - 12)}`);
    },
    table: (rows) => print(`\n${formatRows(rows)}\n`),
    sentence: (text, ok) => print(styleText(['bold', ok ? 'green' : 'red'], text)),
  };
}

function formatRows(rows: readonly SummaryRow[]): string {
  const width = Math.max(...rows.map(([name]) => stripVTControlCharacters(name).length));
  return rows
    .map(([name, value, ok]) => `  ${name.padEnd(width)}  ${ok === undefined ? value : styleText(ok ? 'green' : ['red', 'bold'], value)}`)
    .join('\n');
}
