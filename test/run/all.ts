/**
 * `make test`: every check of the repository, cheapest first, and one line of totals at
 * the end. All checks run even if one fails; the exit code is 0 only if nothing failed.
 * Tests count one by one, every other check counts as one. The line is also left in
 * `.cache/test-totals`, for callers that print something after it.
 *
 * The simulation runs the same seeds every time; BALSA_SIM_SEEDS says how many.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { add, failedTests, none, ofCheck, ofVitest, totalsLine } from './totals.ts';
import type { Totals } from './totals.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const vitestReport = path.join(root, '.cache', 'vitest.json');
const totalsFile = path.join(root, '.cache', 'test-totals');
const freshGenerated = path.join('.cache', 'proto');

/** Runs a program of node_modules/.bin with the pinned Node in front of PATH; exit code 1 if it cannot start. */
function run(program: string, ...args: readonly string[]): number {
  const bin = path.join(root, 'node_modules', '.bin');
  const env = { ...process.env, PATH: `${bin}${path.delimiter}${process.env['PATH'] ?? ''}` };
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit', env });
  if (error !== undefined) process.stderr.write(`${program}: ${error.message}\n`);
  return status ?? 1;
}

/** Generates the wire code again, elsewhere, and compares: what is in git must be what the schemas say. */
function compareGenerated(): number {
  rmSync(path.join(root, freshGenerated), { recursive: true, force: true });
  const generated = run('buf', 'generate', 'proto', '--output', freshGenerated);
  return generated === 0
    ? run('git', 'diff', '--no-index', '--stat', 'proto/src/gen', path.join(freshGenerated, 'proto/src/gen'))
    : generated;
}

const simSeeds = process.env['BALSA_SIM_SEEDS'] || '1000';

/** With the Node that runs this: the pinned one. */
function runSimulation(): Totals {
  return ofCheck(run('node', path.join('test', 'sim', 'run', 'main.ts'), '--seeds', simSeeds));
}

function runVitest(): Totals {
  rmSync(vitestReport, { force: true });
  const exitCode = run('vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${vitestReport}`);
  const report = existsSync(vitestReport) ? readFileSync(vitestReport, 'utf8') : undefined;
  for (const name of failedTests(report)) process.stdout.write(`failed: ${path.relative(root, name)}\n`);
  return ofVitest(report, exitCode);
}

const checks: readonly (readonly [string, () => Totals])[] = [
  ['format', () => ofCheck(run('biome', 'format', '.'))],
  ['types', () => ofCheck(run('tsc', '-b'))],
  ['lint', () => ofCheck(run('oxlint', '--deny-warnings'))],
  ['proto lint', () => ofCheck(run('buf', 'lint', 'proto'))],
  ['proto generated', () => ofCheck(compareGenerated())],
  ['simulation', runSimulation],
  ['tests', runVitest],
];

mkdirSync(path.dirname(totalsFile), { recursive: true });
rmSync(totalsFile, { force: true });
let totals = none;
const failedChecks: string[] = [];
for (const [name, check] of checks) {
  process.stdout.write(`\n== ${name}\n`);
  const result = check();
  if (result.failed > 0) failedChecks.push(name);
  totals = add(totals, result);
}
if (failedChecks.length > 0) process.stdout.write(`\nfailed: ${failedChecks.join(', ')}\n`);
writeFileSync(totalsFile, `${totalsLine(totals)}\n`);
process.stdout.write(`\n${totalsLine(totals)}\n`);
process.exitCode = totals.failed === 0 ? 0 : 1;
