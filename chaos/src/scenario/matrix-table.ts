/** The verdicts of the matrix as a table for a document. Pure. */
import type { RunOutcome } from '../record/run-record.ts';
import { milliseconds } from '../report/quantities.ts';
import type { MatrixCell } from './matrix.ts';
import { matrixTargets } from './matrix-rows.ts';

export interface JudgedCell extends MatrixCell {
  /** Undefined: it was not run. */
  readonly outcome: Pick<RunOutcome, 'result' | 'availability'> | undefined;
  /** Why it was not run or could not be carried out. */
  readonly problem: string | undefined;
}

export function matrixMarkdown(cells: readonly JudgedCell[]): string {
  const rows = Map.groupBy(cells, ({ row }) => row);
  const line = (parts: readonly string[]): string => `| ${parts.join(' | ')} |\n`;
  const reasons = [...new Set(cells.flatMap(({ skipped, problem }) => skipped ?? problem ?? []))];
  return [
    line(['fault', ...matrixTargets]),
    line(['---', ...matrixTargets.map(() => '---')]),
    ...[...rows].map(([row, own]) =>
      line([
        `\`${row}\``,
        ...matrixTargets.map((target) =>
          cellText(
            own.find((cell) => cell.target === target),
            reasons,
          ),
        ),
      ]),
    ),
    ...(reasons.length === 0 ? [] : ['\nNot run, and why:\n\n']),
    ...reasons.map((reason, i) => `${i + 1}. ${reason}\n`),
  ].join('');
}

function cellText(cell: JudgedCell | undefined, reasons: readonly string[]): string {
  if (cell === undefined) return '';
  const reason = cell.skipped ?? cell.problem;
  if (cell.outcome === undefined) return reason === undefined ? '' : `(${reasons.indexOf(reason) + 1})`;
  const { result, availability } = cell.outcome;
  const gap = availability.write?.longestGapMs.max;
  return gap === undefined ? result : `${result}, ${milliseconds(gap)}`;
}
