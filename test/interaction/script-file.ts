/**
 * Format of a golden script: blocks of command lines, a line of dashes, the output
 * that the commands gave when the script was recorded, and an empty line. Lines that
 * start with # are comments; they and blocks without dashes are kept as they are.
 */
export interface Block {
  /** Command and comment lines, as written. */
  readonly lines: readonly string[];
  /** Line in the file (from 1) of the first of them. */
  readonly lineNumber: number;
  /** Recorded output; undefined in a block of comments only. */
  readonly expected: string | undefined;
}

const separator = '----';

export function parseScript(text: string): Block[] {
  const blocks: Block[] = [];
  const all = text.split('\n');
  let start = 0;
  for (let end = 0; end <= all.length; end++) {
    if (end < all.length && all[end]?.trim() !== '') continue;
    if (end > start) blocks.push(parseBlock(all.slice(start, end), start + 1));
    start = end + 1;
  }
  return blocks;
}

function parseBlock(lines: readonly string[], lineNumber: number): Block {
  const at = lines.indexOf(separator);
  if (at === -1) return { lines, lineNumber, expected: lines.every(isComment) ? undefined : '' };
  return { lines: lines.slice(0, at), lineNumber, expected: lines.slice(at + 1).join('\n') };
}

export const isComment = (line: string): boolean => line.startsWith('#');

export const commandsOf = (block: Block): readonly string[] => block.lines.filter((line) => !isComment(line));

export function formatScript(blocks: readonly Block[]): string {
  const texts = blocks.map(({ lines, expected }) => [
    ...lines,
    ...(expected === undefined ? [] : [separator, ...(expected === '' ? [] : [expected])]),
  ]);
  return `${texts.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}
