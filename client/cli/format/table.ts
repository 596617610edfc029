/**
 * Aligned text tables: two spaces between columns, numbers to the right, no borders, so
 * that rows can be read by people and cut by awk. Colours are added after the alignment
 * and only where the stream wants them.
 */
import { styleText } from 'node:util';

/** A style of node:util styleText. */
export type Style = Parameters<typeof styleText>[0];

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string | number;
  readonly align?: 'left' | 'right';
  readonly style?: (row: Row) => Style | undefined;
}

/** Applies a style, or returns the text as it is where colours are not wanted. */
export type Painter = (style: Style, text: string) => string;

const gap = '  ';

export function formatTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], paint: Painter): string {
  const cells = rows.map((row) => columns.map((column) => String(column.cell(row))));
  const widths = columns.map((column, i) => Math.max(column.title.length, ...cells.map((line) => line[i]?.length ?? 0)));
  const pad = (text: string, i: number): string => {
    const width = widths[i] ?? 0;
    if (columns[i]?.align === 'right') return text.padStart(width);
    // The last column is not padded: trailing blanks would wrap narrow terminals.
    return i === columns.length - 1 ? text : text.padEnd(width);
  };
  const header = columns.map((column, i) => paint('bold', pad(column.title, i))).join(gap);
  const lines = rows.map((row, r) =>
    columns
      .map((column, i) => {
        const padded = pad(cells[r]?.[i] ?? '', i);
        const style = column.style?.(row);
        return style === undefined ? padded : paint(style, padded);
      })
      .join(gap),
  );
  return [header, ...lines].map((line) => `${line.trimEnd()}\n`).join('');
}

/** A block of `name  value` lines, for one thing with several facts. */
export function formatFacts(facts: readonly (readonly [string, string | number])[], paint: Painter): string {
  const width = Math.max(0, ...facts.map(([name]) => name.length));
  return facts.map(([name, value]) => `${paint('bold', name.padEnd(width))}${gap}${value}\n`).join('');
}
