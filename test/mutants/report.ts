/** What a run prints: one line per result while it goes on, a table and the totals at the end. */
import path from 'node:path';
import type { SimulationResult } from './by-simulation.ts';
import type { ControlFailure, MutantResult } from './pack.ts';
import { describeCheck, type Mutant, type NotApplicable } from './patch.ts';

const seconds = (ms: number): string => (ms / 1000).toFixed(1);

/** Suite file and test that killed a mutant. */
function killedBy({ verdict }: MutantResult): string {
  if (verdict.kind === 'survived') return 'SURVIVED';
  if (verdict.kind === 'error') return 'ERROR';
  if (verdict.check.kind === 'program') return verdict.by;
  return `${path.basename(verdict.check.file, '.test.ts')} › ${verdict.by}`;
}

export function progressLine(result: MutantResult, done: number, all: number): string {
  return `[${String(done).padStart(String(all).length)}/${all}] ${result.mutant.id.padEnd(5)} ${seconds(result.durationMs).padStart(5)} s  ${killedBy(result)}`;
}

export function table(results: readonly MutantResult[]): string {
  const rows = results.map((result) => [
    result.mutant.id,
    result.mutant.row,
    result.mutant.title,
    killedBy(result),
    seconds(result.durationMs),
  ]);
  return align([['mutant', 'row', 'bug', 'killed by', 's'], ...rows]);
}

export function simulationTable(results: readonly SimulationResult[]): string {
  const rows = results.map(({ mutant, verdict, durationMs }) => [
    mutant.id,
    mutant.row,
    mutant.title,
    verdict.kind === 'noticed' ? String(verdict.seed) : '-',
    verdict.kind === 'noticed' ? verdict.rule : verdict.kind,
    seconds(durationMs),
  ]);
  return align([['mutant', 'row', 'bug', 'seed', 'noticed by the simulation as', 's'], ...rows]);
}

/** What the simulation should have noticed, and what could not be judged. */
export function simulationTroubles(results: readonly SimulationResult[]): string {
  const lines = results.flatMap(({ mutant, verdict }) => {
    if (verdict.kind === 'error') return [`${mutant.id}: ${verdict.message}`];
    return verdict.kind === 'unnoticed' && mutant.bySimulation !== undefined ? [`${mutant.id} must be noticed: ${mutant.title}`] : [];
  });
  return lines.join('\n');
}

/** Details of what was not killed. */
export function troubles(results: readonly MutantResult[]): string {
  const lines = results.flatMap(({ mutant, verdict }) => {
    if (verdict.kind === 'killed') return [];
    const tried = `  ${mutant.file}\n  checks: ${mutant.checks.map(describeCheck).join('\n          ')}`;
    return [
      verdict.kind === 'survived' ? `${mutant.id} survived: ${mutant.title}\n${tried}` : `${mutant.id}: ${verdict.message}\n${tried}`,
    ];
  });
  return lines.join('\n');
}

export function controlTrouble(failures: readonly ControlFailure[]): string {
  const lines = failures.map(({ check, why }) => `  ${check}\n    ${why}`);
  return `The control is red: these checks fail without any mutant, so nothing they say counts.\n${lines.join('\n')}`;
}

export function totals(results: readonly MutantResult[]): string {
  const count = (kind: MutantResult['verdict']['kind']): number => results.filter(({ verdict }) => verdict.kind === kind).length;
  return `${results.length} mutants: ${count('killed')} killed, ${count('survived')} survived, ${count('error')} errors`;
}

export const skippedRows = (rows: readonly NotApplicable[]): string =>
  rows.map(({ row, reason }) => `${row}: not applicable yet: ${reason}`).join('\n');

export function list(mutants: readonly Mutant[]): string {
  return align([['mutant', 'row', 'file', 'bug'], ...mutants.map(({ id, row, file, title }) => [id, row, file, title])]);
}

function align(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>((all, row) => row.map((cell, i) => Math.max(all[i] ?? 0, cell.length)), []);
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
