/**
 * `make mutants`: plants every bug of the catalogue, one at a time, and shows which test
 * notices it. Exit code 0 if all were killed, 1 if any survived or could not be judged
 * or the control is red, 2 for a mistake on the command line.
 */
import { parseArgs } from 'node:util';
import { judgeBySimulation, type SimulationResult } from './by-simulation.ts';
import { mutantOf, mutants, notApplicable } from './catalogue/index.ts';
import { eachOf, judgeMutant, type MutantResult, runControl } from './pack.ts';
import type { Mutant } from './patch.ts';
import { controlTrouble, list, progressLine, simulationTable, simulationTroubles, skippedRows, table, totals, troubles } from './report.ts';
import { sampleOf } from './sample.ts';

const help = `Proof of sensitivity: plants known bugs one at a time and shows which test notices each.

usage: node test/mutants/run.ts [options]

  --only IDS       only these mutants, with commas between
  --sample N       N mutants that the seed chooses
  --seed S         seed of the sample (default 1)
  --list           show the mutants and end
  --no-control     do not run the checks without a mutant first
  --parallel N     checks at a time (default 2)
  --limit SECONDS  time that one check may take (default 90)
  --help           this text

Without any test made for it:

  --by-simulation  simulate whole clusters instead, and show which seed notices each bug;
                   of the mutants those that the catalogue marks for it
  --seeds N        how many seeds from 1 on (default 200)
  --all            the others, too: they need not be noticed (an hour)

examples:
  make mutants                                        all of them
  node test/mutants/run.ts --only B4,J2               two of them
  node test/mutants/run.ts --sample 10 --seed 7       ten, the same ten every time
  node test/mutants/run.ts --by-simulation            what whole clusters notice
  BALSA_MUTANT=B4 npx vitest run test/interaction     see for yourself how a test fails
`;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

class UsageError extends Error {}

function parse() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      sample: { type: 'string' },
      seed: { type: 'string', default: '1' },
      list: { type: 'boolean', default: false },
      control: { type: 'boolean', default: true },
      parallel: { type: 'string', default: '2' },
      limit: { type: 'string', default: '90' },
      'by-simulation': { type: 'boolean', default: false },
      seeds: { type: 'string' },
      all: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
    allowNegative: true,
  });
  return values;
}

type Options = ReturnType<typeof parse>;

function positive(text: string, option: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new UsageError(`--${option} is ${text}; it must be a whole number above 0`);
}

function chosen({ only, sample, seed, all, 'by-simulation': bySimulation }: Options): readonly Mutant[] {
  if ([only !== undefined, sample !== undefined, all].filter(Boolean).length > 1)
    throw new UsageError('--only, --sample and --all exclude each other');
  if (only !== undefined) return only.split(',').map((id) => known(id.trim()));
  if (sample !== undefined) return sampleOf(mutants, positive(sample, 'sample'), seed);
  return bySimulation && !all ? mutants.filter((mutant) => mutant.bySimulation !== undefined) : mutants;
}

function known(id: string): Mutant {
  try {
    return mutantOf(id);
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

/** What runs goes with this process. */
const exitCodes = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const;

/** Returns the exit code. */
function main(options: Options): Promise<number> {
  const abort = new AbortController();
  for (const [signal, code] of exitCodes) {
    process.once(signal, () => {
      abort.abort();
      process.exit(code);
    });
  }
  if (options['by-simulation']) return simulateAll(options, abort.signal);
  if (options.seeds !== undefined) throw new UsageError('--seeds needs --by-simulation');
  return testAll(options, abort.signal);
}

async function testAll(options: Options, signal: AbortSignal): Promise<number> {
  const wanted = chosen(options);
  const parallel = positive(options.parallel, 'parallel');
  const startedMs = performance.now();
  const pack = { limitMs: positive(options.limit, 'limit') * 1000, signal };
  if (options.control && !(await control(wanted, parallel, pack))) return 1;
  const results: MutantResult[] = [];
  say(`\n${wanted.length} mutants, ${parallel} at a time`);
  await eachOf(wanted, parallel, async (mutant) => {
    const result = await judgeMutant(mutant, pack);
    results.push(result);
    say(progressLine(result, results.length, wanted.length));
  });
  const ordered = wanted.flatMap((mutant) => results.filter((result) => result.mutant === mutant));
  say(`\n${table(ordered)}\n`);
  if (wanted.length === mutants.length) say(skippedRows(notApplicable));
  const trouble = troubles(ordered);
  if (trouble !== '') say(`\n${trouble}\n`);
  say(`${totals(ordered)} in ${Math.round((performance.now() - startedMs) / 1000)} s`);
  return trouble === '' ? 0 : 1;
}

const seedsDefault = '200';
/** Time that a seed may take on average; one alone may take longer. */
const seedMs = 5000;

async function simulateAll(options: Options, signal: AbortSignal): Promise<number> {
  const wanted = chosen(options);
  const seedsMax = positive(options.seeds ?? seedsDefault, 'seeds');
  const results: SimulationResult[] = [];
  say(`${wanted.length} mutants, up to ${seedsMax} simulated clusters each`);
  await eachOf(wanted, positive(options.parallel, 'parallel'), async (mutant) => {
    const result = await judgeBySimulation(mutant, { seedsMax, limitMs: seedMs * seedsMax, signal });
    results.push(result);
    say(`[${results.length}/${wanted.length}] ${mutant.id}`);
  });
  const ordered = wanted.flatMap((mutant) => results.filter((result) => result.mutant === mutant));
  say(`\n${simulationTable(ordered)}\n`);
  const trouble = simulationTroubles(ordered);
  if (trouble !== '') say(`${trouble}\n`);
  say(`${ordered.filter(({ verdict }) => verdict.kind === 'noticed').length} of ${ordered.length} mutants noticed`);
  return trouble === '' ? 0 : 1;
}

async function control(wanted: readonly Mutant[], parallel: number, pack: { readonly limitMs: number }): Promise<boolean> {
  say('control: the tests without a mutant');
  let done = 0;
  const failures = await runControl(wanted, parallel, pack, (check, { kind }) => {
    done += 1;
    if (kind !== 'passed') say(`  ${kind.padEnd(6)} ${check}`);
  });
  if (failures.length > 0) say(controlTrouble(failures));
  else say(`  ${done} test files and programs, all green`);
  return failures.length === 0;
}

try {
  const options = parse();
  if (options.help) process.stdout.write(help);
  else if (options.list) say(list(mutants));
  else process.exitCode = await main(options);
} catch (error) {
  const isUsage = error instanceof UsageError || (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS') === true;
  if (!isUsage) throw error;
  process.stderr.write(`error: ${(error as Error).message}\nSee --help.\n`);
  process.exitCode = 2;
}
