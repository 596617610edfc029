/** A command line of a script: name, then positional words and key=value options. */
import { asNodeId, type NodeId } from '@balsa/node/core/ids.ts';

export interface Arguments {
  readonly words: readonly string[];
  readonly options: ReadonlyMap<string, string>;
}

export interface CommandLine extends Arguments {
  readonly name: string;
}

export function parseCommandLine(line: string): CommandLine {
  const [name = '', ...rest] = line.trim().split(/\s+/);
  const words: string[] = [];
  const options = new Map<string, string>();
  for (const part of rest) {
    const at = part.indexOf('=');
    if (at <= 0) words.push(part);
    else options.set(part.slice(0, at), part.slice(at + 1));
  }
  return { name, words, options };
}

export function numberOf(text: string | undefined, what: string): number {
  const value = Number(text);
  if (text === undefined || text === '' || !Number.isSafeInteger(value) || value < 0)
    throw new Error(`${what} must be a number, not "${text}"`);
  return value;
}

export const optionalNumber = ({ options }: Arguments, key: string, otherwise: number): number =>
  options.has(key) ? numberOf(options.get(key), key) : otherwise;

export const nodeOf = (text: string | undefined): NodeId => asNodeId(numberOf(text, 'node'));

/** "1,2,3"; an empty text is an empty list. */
export const nodesOf = (text: string | undefined): NodeId[] => (text === undefined || text === '' ? [] : text.split(',').map(nodeOf));

export function switchOf(text: string | undefined, what: string): boolean {
  if (text !== 'on' && text !== 'off') throw new Error(`${what} must be on or off, not "${text}"`);
  return text === 'on';
}
