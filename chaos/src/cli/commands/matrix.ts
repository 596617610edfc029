/** `balsa chaos matrix`: every fault at every kind of target, and the table of verdicts. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { detectCapabilities } from '../../netns/capabilities.ts';
import type { Need } from '../../nemesis/fault.ts';
import { files, type RunOutcome } from '../../record/run-record.ts';
import { runScenario } from '../../run/run-scenario.ts';
import { matrix, type MatrixCell } from '../../scenario/matrix.ts';
import { type JudgedCell, matrixMarkdown } from '../../scenario/matrix-table.ts';
import { outcomeSentence } from '../../terminal/outcome-text.ts';
import { createScreen, type Screen } from '../../terminal/screen.ts';
import { writeReport } from '../../report/write-report.ts';
import { milliseconds } from '../../report/quantities.ts';
import { exitCodeOf, exitCodes, worstOf } from '../exit-codes.ts';
import type { ChaosIo } from '../io.ts';
import { recordFolder, seedMax, wholeNumber } from '../options.ts';
import type { Finish } from '../program.ts';
import { UsageError } from '../usage-error.ts';

interface MatrixOptions {
  readonly rows?: string;
  readonly targets?: string;
  readonly seed: number;
  readonly out?: string;
  readonly publish?: string;
}

export function registerMatrix(parent: Command, io: ChaosIo, finish: Finish): void {
  parent
    .command('matrix')
    .summary('run every fault at the leader, a follower, a minority, a majority, all')
    .description(
      'Runs one short scenario for every fault and target, and writes the table of verdicts (matrix.md). Takes about half an hour.',
    )
    .option('--rows <names>', 'only these rows, separated by commas; a name also stands for those that begin with it')
    .option('--targets <names>', 'only these columns, separated by commas')
    .option('--seed <n>', 'what chance draws from', wholeNumber(1, seedMax), 1)
    .option('--out <folder>', 'where the records go (default: a new one in .balsa/chaos); cells that are there already are not run again')
    .option('--publish <file>', 'put the table into this document, between <!-- matrix --> and <!-- /matrix -->')
    .addHelpText('after', '\nExamples:\n  npx balsa chaos matrix\n  npx balsa chaos matrix --rows kill,pause,damage --targets leader,all')
    .action(async (options: MatrixOptions) => {
      const cells = chosen(options);
      const folder = options.out ?? recordFolder('matrix', new Date());
      const judged = await runCells(io, cells, folder);
      await publish(judged, path.join(folder, 'matrix.md'), options.publish);
      finish(conclude(io, judged, folder));
    });
}

function chosen({ rows, targets, seed }: MatrixOptions): readonly MatrixCell[] {
  const names = rows?.split(',');
  const columns = targets?.split(',');
  const cells = matrix(seed).filter(
    ({ row, target }) => (names?.some((name) => row === name || row.startsWith(`${name}-`)) ?? true) && (columns?.includes(target) ?? true),
  );
  if (cells.length > 0) return cells;
  throw new UsageError(
    'no cell of the matrix has such a row and column',
    `rows: ${[...new Set(matrix().map(({ row }) => row))].join(', ')}`,
  );
}

async function runCells(io: ChaosIo, cells: readonly MatrixCell[], folder: string): Promise<readonly JudgedCell[]> {
  await mkdir(folder, { recursive: true });
  const screen = createScreen(io.stdout, performance.now());
  const lacking = await lackingNeeds();
  const judged: JudgedCell[] = [];
  const runnable = cells.filter(({ scenario, needs }) => scenario !== undefined && needs.every((need) => !lacking.has(need))).length;
  screen.step(`${runnable} cells are run, ${cells.length - runnable} are not; records in ${folder}`);
  for (const cell of cells) {
    const missing = cell.needs.find((need) => lacking.has(need));
    if (cell.scenario === undefined || missing !== undefined) {
      judged.push({ ...cell, outcome: undefined, problem: missing === undefined ? undefined : lacking.get(missing) });
      continue;
    }
    judged.push(await runCell(io, screen, { ...cell, scenario: cell.scenario }, folder));
  }
  return judged;
}

async function lackingNeeds(): Promise<ReadonlyMap<Need, string>> {
  const missing = (await detectCapabilities()).find(({ available }) => !available);
  return new Map(
    missing === undefined ? [] : [['namespaces', `the stronger tier is not available here: ${missing.name}: ${missing.reason}`]],
  );
}

async function runCell(
  { signal }: ChaosIo,
  screen: Screen,
  cell: MatrixCell & { readonly scenario: NonNullable<MatrixCell['scenario']> },
  folder: string,
): Promise<JudgedCell> {
  const { row, target, scenario } = cell;
  const own = path.join(folder, `${row}-${target}`);
  const command = `npx balsa chaos matrix --rows ${row} --targets ${target} --seed ${scenario.seed}`;
  const name = `${row.padEnd(24)} ${target.padEnd(9)}`;
  try {
    const before = await readOutcome(own);
    if (before !== undefined) return { ...cell, outcome: before, problem: undefined };
    const outcome = await runScenario({
      scenario,
      folder: own,
      command,
      keepData: false,
      signal,
      onEvent: () => undefined,
      onProgress: (acked) => screen.progress(`${name} ${acked} records acknowledged`),
    });
    const gap = outcome.availability.write?.longestGapMs.max;
    screen.step(`${name} ${outcome.result}${gap === undefined ? '' : `, writes paused ${milliseconds(gap)}`}`);
    if (outcome.result !== 'pass') screen.step(`  ${outcomeSentence(outcome)}\n          report: ${await writeReport(own)}`);
    return { ...cell, outcome, problem: undefined };
  } catch (error) {
    signal.throwIfAborted();
    const problem = error instanceof Error ? error.message : String(error);
    screen.step(`${name} could not be carried out: ${problem}`);
    return { ...cell, outcome: undefined, problem };
  }
}

/** Of a cell that an earlier call with the same folder has finished. */
async function readOutcome(folder: string): Promise<RunOutcome | undefined> {
  const text = await readFile(path.join(folder, files.outcome), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as RunOutcome);
}

async function publish(judged: readonly JudgedCell[], file: string, document: string | undefined): Promise<void> {
  const table = matrixMarkdown(judged);
  await writeFile(file, table);
  if (document === undefined) return;
  const [open, close] = ['<!-- matrix -->', '<!-- /matrix -->'];
  const text = await readFile(document, 'utf8');
  const [from, to] = [text.indexOf(open), text.indexOf(close)];
  if (from < 0 || to < from) throw new UsageError(`${document} has no place for the table`, `put ${open} and ${close} into it`);
  await writeFile(document, `${text.slice(0, from + open.length)}\n${table}${text.slice(to)}`);
}

/** A cell that could not be carried out proves nothing. */
function conclude({ stdout }: ChaosIo, judged: readonly JudgedCell[], folder: string) {
  const screen = createScreen(stdout, performance.now());
  const results = judged.flatMap(
    ({ outcome, scenario, problem }) =>
      outcome?.result ?? (scenario !== undefined && problem !== undefined && !problem.startsWith('the stronger tier') ? 'vacuous' : []),
  );
  const count = (result: string): number => results.filter((each) => each === result).length;
  const worst = worstOf(results);
  const counts = (['pass', 'fail', 'vacuous', 'unavailable'] as const).map((result) => `${count(result)} ${result}`).join(', ');
  screen.sentence(`${results.length} cells: ${counts}; table: ${path.join(folder, 'matrix.md')}`, worst === 'pass');
  return results.length === 0 ? exitCodes.vacuous : exitCodeOf(worst);
}
