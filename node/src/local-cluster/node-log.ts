/** The file that takes a node's stdout and stderr, appended over restarts and turned over when it is large. */
import { closeSync, existsSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';

const logBytesMax = 16 * 1024 * 1024;

/** Opens the log for appending; the caller closes the descriptor. A large one is kept once, as `.1`. */
export function openLog(file: string): number {
  if (existsSync(file) && statSync(file).size > logBytesMax) renameSync(file, `${file}.1`);
  return openSync(file, 'a');
}

export const closeLog = (descriptor: number): void => closeSync(descriptor);

/** The last words of a node, for an error report: lines for people if there are any, else the last log entries. */
export function lastWords(file: string, linesMax: number): string {
  if (!existsSync(file)) return '';
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const forPeople = lines.filter((line) => !line.startsWith('{'));
  return (forPeople.length > 0 ? forPeople : lines).slice(-linesMax).join('\n');
}
