/** One seed from the command line, with everything that is known of its run. */
import type { Request, SingleRequest } from './cli.ts';
import { minimiseFailures } from './minimise-command.ts';
import { printOverrides } from './override-flags.ts';
import { failureText, minimisedText, runText } from './report.ts';
import { reproductionLine } from './reproduction.ts';
import { runSeed, type SeedOutcome } from './seed-outcome.ts';
import { createSeedProcess } from './seed-process.ts';
import { addOutcome, createTally, type Tally } from './tally.ts';
import { createTerminal } from './terminal.ts';
import type { BatchSurroundings } from './batch-command.ts';

/** True if the run passed. */
export async function runSingleCommand(request: Request & SingleRequest, { commit, broken }: BatchSurroundings): Promise<boolean> {
  const { seed, overrides, trace, json, traceHash, minimise, limitMs } = request;
  const seedProcess = createSeedProcess({ limitMs });
  broken.addEventListener('abort', () => seedProcess.close());
  const terminal = createTerminal();
  try {
    const startMs = performance.now();
    terminal.progress(() => `seed ${seed}: ${((performance.now() - startMs) / 1000).toFixed(0)} s`);
    // A trace is written by this process: it is there even if the run never ends.
    const outcome = await (trace ? runSeed({ seed, overrides }, terminal.say) : seedProcess.run({ seed, overrides }));
    if (broken.aborted) return false;
    const tally = createTally();
    addOutcome(tally, outcome);
    const [failed] = tally.failed;
    if (json) terminal.say(jsonOf(outcome, commit));
    else if (traceHash) terminal.say(`trace ${seed} ${outcome.traceHash}\n`);
    else if (outcome.options !== undefined) terminal.say(runText(outcome, performance.now() - startMs));
    if (failed === undefined) return true;
    if (!json) terminal.say(`${failureText({ failed, commit, note: undefined, full: true })}`);
    if (minimise) await makeSmaller(tally);
    return false;
  } finally {
    terminal.stop();
    seedProcess.close();
  }

  async function makeSmaller(tally: Tally): Promise<void> {
    const onMinimised = (result: Parameters<Parameters<typeof minimiseFailures>[1]['onMinimised']>[0]): void =>
      (json ? terminal.complain : terminal.say)(minimisedText(result.seed, result.minimised, commit));
    await minimiseFailures(tally, { seedProcess, terminal, broken, onMinimised });
  }
}

function jsonOf({ counts, options, overrides, ...outcome }: SeedOutcome, commit: string): string {
  const { seed } = outcome;
  const document = {
    commit,
    ...outcome,
    options: options === undefined ? null : options,
    overrides: printOverrides(overrides),
    counts: Object.fromEntries(counts),
    reproduce: reproductionLine({ seed, overrides }, commit),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
