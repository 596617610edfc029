/** What people read of a batch: its failures as they happen, its progress, and its end. */
import { coverageTable, grouped } from './coverage.ts';
import type { Minimised } from './minimise.ts';
import { printOverrides } from './override-flags.ts';
import { reproductionLine } from './reproduction.ts';
import type { SeedOutcome } from './seed-outcome.ts';
import type { FailedSeed, Tally } from './tally.ts';

/** Of the facts of a failure. */
const reasonCharsMax = 400;
const reasonLinesMax = 6;

export interface FailureText {
  readonly failed: FailedSeed;
  readonly commit: string;
  /** From the corpus: what was wrong with this seed once. */
  readonly note: string | undefined;
  /** The facts at their full length. */
  readonly full: boolean;
}

export function failureText({ failed, commit, note, full }: FailureText): string {
  const { seed, failure, outcome } = failed;
  const after = outcome.options === undefined ? '' : ` after ${seconds(outcome.virtualMs)} virtual s`;
  const once = note === undefined ? '' : ` (in the corpus: ${note})`;
  const reason = full ? failure.reason : shortened(failure.reason);
  return [`FAILED seed ${seed}${after}: ${failure.rule}${once}`, indented(reason), `  ${reproductionLine(failed, commit)}`, ''].join('\n');
}

function shortened(reason: string): string {
  const text = reason.split('\n').slice(0, reasonLinesMax).join('\n');
  if (text.length > reasonCharsMax) return `${text.slice(0, reasonCharsMax)} ...`;
  return text.length < reason.length ? `${text}\n...` : text;
}

const indented = (text: string): string => text.replaceAll(/^/gm, '  ');
const seconds = (ms: number): string => (ms / 1000).toFixed(1);

export interface Pace {
  readonly elapsedMs: number;
  /** Processes at work. */
  readonly workers: number;
}

export function progressLine({ seeds, failed, virtualMs }: Tally, { elapsedMs }: Pace, goal: string): string {
  const perSecond = (seeds / elapsedMs) * 1000;
  const verdict = failed.length === 0 ? 'none failed' : `${failed.length} failed`;
  return `${grouped(seeds)} ${goal}, ${verdict}, ${perSecond.toFixed(1)} seeds/s, ${grouped(virtualMs / elapsedMs)} virtual s/s, ${seconds(elapsedMs)} s`;
}

/** One run, for people who look at one run. */
export function runText(outcome: SeedOutcome, elapsedMs: number): string {
  const { seed, options, virtualMs, events, traceHash, counts } = outcome;
  const verdict = outcome.failure === undefined ? 'passed' : 'failed';
  const drawn = options === undefined ? '' : `\ndrew       ${printOverrides(options)}`;
  return `seed ${seed} ${verdict}: ${seconds(virtualMs)} virtual s and ${grouped(events)} events in ${seconds(elapsedMs)} s\ntrace      ${traceHash}${drawn}\n${coverageTable(counts)}\n`;
}

export interface Ending extends Pace {
  readonly commit: string;
  readonly unreached: readonly string[];
  /** Why not all seeds were run, if so. */
  readonly cutShort: string | undefined;
}

export function summaryText(tally: Tally, { elapsedMs, workers, commit, unreached, cutShort }: Ending): string {
  const { seeds, failed, virtualMs, events, counts } = tally;
  const lines = [
    coverageTable(counts),
    `${grouped(seeds)} ${seeds === 1 ? 'seed' : 'seeds'} on ${workers} ${workers === 1 ? 'process' : 'processes'} in ${seconds(elapsedMs)} s: ` +
      `${((seeds / elapsedMs) * 1000).toFixed(1)} seeds/s, ${grouped(virtualMs / elapsedMs)} virtual s/s, ` +
      `${seconds(virtualMs / Math.max(1, seeds))} virtual s and ${grouped(events / Math.max(1, seeds))} events a seed`,
  ];
  if (cutShort !== undefined) lines.push(cutShort);
  if (unreached.length > 0) lines.push(`FAILED: no seed reached ${unreached.join(', ')}`);
  if (failed.length > 0) lines.push(`FAILED: ${failed.length} of ${grouped(seeds)}`, ...rulesText(failed, commit));
  if (failed.length === 0 && unreached.length === 0) lines.push(cutShort === undefined ? 'all passed' : 'none failed so far');
  return `${lines.join('\n')}\n`;
}

/** Each rule with its first failure; all seeds have been told before. */
function rulesText(failed: readonly FailedSeed[], commit: string): string[] {
  const rules = Map.groupBy(failed, ({ failure: { rule } }) => rule);
  return [...rules].flatMap(([rule, seeds]) => {
    const [first] = seeds;
    return [
      `  ${String(seeds.length).padStart(3)} x ${rule}`,
      ...(first === undefined ? [] : [`        ${reproductionLine(first, commit)}`]),
    ];
  });
}

export function minimisedText(seed: number, { overrides, failed, attempts, complete }: Minimised, commit: string): string {
  const end = complete ? 'nothing more can be taken away' : 'stopped before nothing more could be taken away';
  return [
    `minimised seed ${seed} with ${attempts} attempts, ${end}`,
    `  left       ${printOverrides(failed.options)}`,
    `  fails      after ${seconds(failed.virtualMs)} virtual s: ${failed.failure.rule}`,
    indented(shortened(failed.failure.reason)),
    `  ${reproductionLine({ seed, overrides }, commit)}`,
    '',
  ].join('\n');
}
