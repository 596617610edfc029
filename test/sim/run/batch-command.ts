/** A batch of seeds from the command line: runs it, tells of it, and says how it ended. */
import { requestsOf, runBatch } from './batch.ts';
import type { BatchRequest, Request } from './cli.ts';
import { type CorpusEntry, readCorpus } from './corpus.ts';
import { minimiseFailures, type MinimisedSeed } from './minimise-command.ts';
import { printOverrides } from './override-flags.ts';
import { failureText, minimisedText, progressLine, summaryText } from './report.ts';
import { reproductionLine } from './reproduction.ts';
import type { SeedOutcome } from './seed-outcome.ts';
import { createSeedProcess } from './seed-process.ts';
import { unreached } from './sometimes.ts';
import { addOutcome, createTally, type Tally } from './tally.ts';
import { createTerminal, type Terminal } from './terminal.ts';

export interface BatchSurroundings {
  readonly commit: string;
  /** Aborted by Ctrl-C. */
  readonly broken: AbortSignal;
}

/** True if nothing failed and everything was reached. Throws a UsageError if the corpus cannot be read. */
export async function runBatchCommand(request: Request & BatchRequest, { commit, broken }: BatchSurroundings): Promise<boolean> {
  const corpus = request.corpus === undefined ? [] : readCorpus(request.corpus);
  const processes = Array.from({ length: request.workers }, () => createSeedProcess({ limitMs: request.limitMs }));
  broken.addEventListener('abort', () => processes.forEach(({ close }) => close()));
  const [first] = processes;
  const terminal = createTerminal();
  const say = request.json ? terminal.complain : terminal.say;
  try {
    const { tally, elapsedMs } = await runSeeds(request, { corpus, processes, terminal, say, commit, broken });
    const minimised =
      request.minimise && first !== undefined
        ? await minimiseFailures(tally, {
            seedProcess: first,
            terminal,
            broken,
            onMinimised: (result) => say(minimisedText(result.seed, result.minimised, commit)),
          })
        : [];
    terminal.stop();
    if (request.traceHash && !request.json) say(hashLines(tally));
    const missed = unreached(tally.counts, tally.plainSeeds);
    const pace = { elapsedMs, workers: request.workers };
    const cutShort = cutShortBy(request, tally, broken);
    if (request.json) terminal.say(jsonOf(tally, { ...pace, commit, missed, minimised }));
    else say(summaryText(tally, { ...pace, commit, unreached: missed, cutShort }));
    return tally.failed.length === 0 && missed.length === 0;
  } finally {
    terminal.stop();
    for (const { close } of processes) close();
  }
}

interface Work extends BatchSurroundings {
  readonly corpus: readonly CorpusEntry[];
  readonly processes: readonly ReturnType<typeof createSeedProcess>[];
  readonly terminal: Terminal;
  readonly say: (text: string) => void;
}

async function runSeeds(request: Request & BatchRequest, { corpus, processes, terminal, say, commit, broken }: Work) {
  const { from, count, durationMs, overrides, workers, maxFailures } = request;
  const tally = createTally();
  const startMs = performance.now();
  const elapsedMs = (): number => performance.now() - startMs;
  const goal = count === undefined ? 'seeds' : `of ${corpus.length + count} seeds`;
  terminal.progress(() => progressLine(tally, { elapsedMs: elapsedMs(), workers }, goal));
  const onOutcome = (outcome: SeedOutcome): void => {
    addOutcome(tally, outcome, request.traceHash);
    const failed = tally.failed.at(-1);
    if (outcome.failure === undefined || failed === undefined) return;
    const note = corpus.find((entry) => entry.seed === outcome.seed && tally.seeds <= corpus.length + workers)?.note;
    say(failureText({ failed, commit, note, full: false }));
  };
  await runBatch({
    requests: requestsOf(corpus, { from, ...(count === undefined ? {} : { count }) }, overrides),
    processes,
    isOver: () => elapsedMs() >= (durationMs ?? Number.POSITIVE_INFINITY) || tally.failed.length >= maxFailures,
    broken,
    onOutcome,
  });
  return { tally, elapsedMs: elapsedMs() };
}

function cutShortBy({ maxFailures }: BatchRequest, { failed }: Tally, broken: AbortSignal): string | undefined {
  if (broken.aborted) return 'interrupted: not all seeds were run';
  return failed.length >= maxFailures
    ? `gave up after ${failed.length} failed ${failed.length === 1 ? 'seed' : 'seeds'}: not all were run`
    : undefined;
}

/** In the order of the seeds, so that two batches can be compared. */
function hashLines({ traceHashes }: Tally): string {
  const ordered = traceHashes.toSorted((one, other) => one.seed - other.seed);
  return ordered.map(({ seed, hash }) => `trace ${seed} ${hash}\n`).join('');
}

interface JsonFacts {
  readonly elapsedMs: number;
  readonly workers: number;
  readonly commit: string;
  readonly missed: readonly string[];
  readonly minimised: readonly MinimisedSeed[];
}

function jsonOf(tally: Tally, { elapsedMs, workers, commit, missed, minimised }: JsonFacts): string {
  const { seeds, virtualMs, events, counts, failed, traceHashes } = tally;
  const document = {
    commit,
    seeds,
    workers,
    elapsedMs: Math.round(elapsedMs),
    virtualMs: Math.round(virtualMs),
    events,
    failures: failed.map(({ failure, ...request }) => ({
      seed: request.seed,
      overrides: printOverrides(request.overrides),
      ...failure,
      reproduce: reproductionLine(request, commit),
    })),
    unreached: missed,
    minimised: minimised.map(({ seed, minimised: { overrides, attempts, complete } }) => ({
      seed,
      attempts,
      complete,
      reproduce: reproductionLine({ seed, overrides }, commit),
    })),
    counts: Object.fromEntries([...counts].sort(([one], [other]) => (one < other ? -1 : 1))),
    ...(traceHashes.length === 0 ? {} : { traceHashes: Object.fromEntries(traceHashes.map(({ seed, hash }) => [seed, hash])) }),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
