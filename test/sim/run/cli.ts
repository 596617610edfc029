/** The command line of `balsa-sim`: what it asks for, or what is wrong with it. */
import { Command, CommanderError, Option } from 'commander';
import { corpusFile } from './corpus.ts';
import { flags, optionNames, UsageError, wholeNumber } from './override-flags.ts';
import type { Overrides } from './seed-outcome.ts';

export interface BatchRequest {
  readonly kind: 'batch';
  readonly from: number;
  /** Undefined: until the time is over. */
  readonly count: number | undefined;
  /** Undefined: until all seeds are done. */
  readonly durationMs: number | undefined;
  readonly maxFailures: number;
  /** Undefined: none. */
  readonly corpus: string | undefined;
}

export interface SingleRequest {
  readonly kind: 'single';
  readonly seed: number;
  readonly trace: boolean;
}

export type Request = (BatchRequest | SingleRequest) & {
  readonly overrides: Overrides;
  readonly workers: number;
  readonly limitMs: number;
  readonly traceHash: boolean;
  readonly minimise: boolean;
  readonly json: boolean;
};

export interface CliSurroundings {
  readonly cores: number;
  /** From which fresh seeds are taken. */
  readonly wallMs: number;
  readonly writeOut: (text: string) => void;
  readonly columns: number;
}

/** As commander has read it. */
interface Options {
  readonly seed?: string;
  readonly seeds?: string;
  readonly from?: string;
  readonly minutes?: string;
  readonly workers?: string;
  readonly limit?: string;
  readonly maxFailures?: string;
  readonly corpus?: string | false;
  readonly trace?: true;
  readonly traceHash?: true;
  readonly minimise?: true;
  readonly json?: true;
}

const seedsDefault = 100;
const failuresMax = 20;
const limitSeconds = 120;
const most = Number.MAX_SAFE_INTEGER;

/** Undefined if there is nothing to do but what was printed; throws a UsageError. */
export function parseCommandLine(args: readonly string[], surroundings: CliSurroundings): Request | undefined {
  const program = buildProgram(surroundings);
  try {
    program.parse(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw new UsageError(error.message.replace(/^error: /, ''), { cause: error });
  }
  return requestOf(program.opts(), overridesOf(program.opts()), surroundings);
}

function buildProgram({ writeOut, columns }: CliSurroundings): Command {
  const program = new Command('balsa-sim')
    .description('Runs whole clusters of Balsa in a simulation, with faults, and checks that nothing acknowledged is lost.')
    .optionsGroup('Which seeds:')
    .option('--seed <n>', 'one run, with what it drew and met')
    .option('--seeds <n>', `a batch of so many (default: ${seedsDefault})`)
    .option('--from <n>', 'first seed of a batch (default: 1; with --minutes: a fresh one)')
    .option('--minutes <n>', 'fresh seeds for so long, whatever fails')
    .option('--corpus <file>', 'seeds that failed once; a batch runs them first (default: test/sim/corpus.json)')
    .option('--no-corpus', 'a batch without them')
    .optionsGroup('How:')
    .option('--workers <n>', 'processes (default: one for each core)')
    .option('--limit <seconds>', `real time after which a run counts as hanging (default: ${limitSeconds})`)
    .option('--max-failures <n>', `a batch gives up after so many (default: ${failuresMax}; with --minutes: never)`)
    .option('--minimise', 'take away from a failing run what the failure does not need')
    .optionsGroup('Output:')
    .option('--trace', 'every event of one run')
    .option('--trace-hash', "the hash of every run's trace")
    .option('--json', 'one JSON document at the end, on stdout')
    .optionsGroup('Instead of what the seed draws:')
    .exitOverride()
    .configureOutput({ writeOut, writeErr: () => {}, getOutHelpWidth: () => columns, getOutHasColors: () => false })
    .addHelpText('after', examples);
  for (const name of optionNames) program.addOption(new Option(flags[name].flag, flags[name].help));
  return program;
}

const examples = `
Examples:
  npx balsa-sim                              the corpus and ${seedsDefault} seeds
  npx balsa-sim --seed 7                     one run: what it drew, met, and how it ended
  npx balsa-sim --seed 7 --trace | less      every event of it
  npx balsa-sim --seeds 1000 --minimise      a batch; failures are made smaller
  npx balsa-sim --minutes 60 --workers 1     an hour of fresh seeds on one core
  npx balsa-sim --seeds 50 --faults kill,split --nodes 5

Exit codes:
    0  all runs passed
    1  a run failed, or a large batch never reached what it must reach
    2  the command line is not valid; nothing was done
  130  interrupted by Ctrl-C; the summary tells of what was run
`;

function overridesOf(options: object): Overrides {
  const given = new Map(Object.entries(options) as [string, unknown][]);
  const overrides: Overrides = {};
  for (const name of optionNames) {
    const text = given.get(new Option(flags[name].flag).attributeName());
    if (typeof text === 'string') Object.assign(overrides, { [name]: flags[name].parse(text) });
  }
  return overrides;
}

function requestOf(options: Options, overrides: Overrides, surroundings: CliSurroundings): Request {
  const given = (flag: string, text: string | undefined, min: number): number | undefined =>
    text === undefined ? undefined : wholeNumber(`--${flag}`, text, min, most);
  const shared = {
    overrides,
    workers: given('workers', options.workers, 1) ?? surroundings.cores,
    limitMs: (given('limit', options.limit, 1) ?? limitSeconds) * 1000,
    traceHash: options.traceHash === true,
    minimise: options.minimise === true,
    json: options.json === true,
  };
  const seed = given('seed', options.seed, 0);
  if (seed !== undefined) return { ...shared, ...singleRequest(seed, options) };
  if (options.trace === true) throw new UsageError('--trace needs --seed: it shows one run');
  const minutes = given('minutes', options.minutes, 1);
  const count = given('seeds', options.seeds, 1) ?? (minutes === undefined ? seedsDefault : undefined);
  return {
    ...shared,
    kind: 'batch',
    count,
    durationMs: minutes === undefined ? undefined : minutes * 60_000,
    from: given('from', options.from, 0) ?? (minutes === undefined ? 1 : surroundings.wallMs),
    maxFailures: given('max-failures', options.maxFailures, 1) ?? (minutes === undefined ? failuresMax : most),
    corpus: corpusOf(options.corpus),
  };
}

/** commander says nothing if neither `--corpus` nor `--no-corpus` was given. */
function corpusOf(corpus: string | false | undefined): string | undefined {
  if (typeof corpus === 'string') return corpus;
  return corpus === false ? undefined : corpusFile;
}

function singleRequest(seed: number, { seeds, from, minutes, maxFailures, trace, json }: Options): SingleRequest {
  const batchOnly = Object.entries({ seeds, from, minutes, 'max-failures': maxFailures }).find(([, value]) => value !== undefined);
  if (batchOnly !== undefined) throw new UsageError(`--seed and --${batchOnly[0]} exclude each other`);
  if (trace === true && json === true) throw new UsageError('--trace and --json exclude each other');
  return { kind: 'single', seed, trace: trace === true };
}
