/** `balsa chaos check`: judges a recorded history again, whoever recorded it. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { anomalies } from '../../history/anomaly.ts';
import { checkHistory, type Verdict } from '../../history/check-history.ts';
import { readHistory } from '../../record/read-record.ts';
import { files } from '../../record/run-record.ts';
import { verdictRows } from '../../terminal/outcome-text.ts';
import { createScreen } from '../../terminal/screen.ts';
import { exitCodes } from '../exit-codes.ts';
import type { ChaosIo } from '../io.ts';
import type { Finish } from '../program.ts';

interface CheckOptions {
  readonly json?: boolean;
  readonly retention?: boolean;
}

const findingsShownMax = 20;

export function registerCheck(parent: Command, io: ChaosIo, finish: Finish): void {
  parent
    .command('check')
    .summary('judge a recorded history')
    .description('Judges a history of client operations (NDJSON): durability, order, duplicates, contiguity, metadata. Needs no cluster.')
    .argument('<history>', 'history.ndjson, or the folder of a run')
    .option('--retention', 'topics may have lost old records')
    .option('--json', 'the whole verdict as JSON')
    .addHelpText(
      'after',
      `\nAnomalies:\n${Object.entries(anomalies)
        .map(([name, { meaning }]) => `  ${name.padEnd(24)}${meaning}`)
        .join(
          '\n',
        )}\n\nExamples:\n  npx balsa chaos check .balsa/chaos/kill-leader-20260131-120000\n  npx balsa chaos check history.ndjson --json`,
    )
    .action(async (target: string, { json, retention }: CheckOptions) => {
      const isFolder = (await stat(target).catch(() => undefined))?.isDirectory() === true;
      const history = await readHistory(isFolder ? path.join(target, files.history) : target);
      const verdict = checkHistory(history, { retention: retention === true });
      if (json === true) io.stdout.write(`${JSON.stringify(verdict, undefined, 2)}\n`);
      else show(io, verdict);
      finish({ pass: exitCodes.pass, fail: exitCodes.fail, unknown: exitCodes.vacuous }[verdict.outcome]);
    });
}

function show({ stdout }: ChaosIo, verdict: Verdict): void {
  const screen = createScreen(stdout, performance.now());
  screen.table(verdictRows(verdict));
  for (const { anomaly, invariant, subject, detail, operations } of verdict.findings.slice(0, findingsShownMax)) {
    stdout.write(`  ${anomaly} (${invariant}) ${subject}: ${detail}; operations ${operations.join(', ')}\n`);
  }
  screen.sentence(sentences[verdict.outcome], verdict.outcome === 'pass');
}

const sentences = {
  pass: 'PASS: nothing in this history breaks a promise',
  fail: 'FAIL: this history breaks a promise',
  unknown: 'UNKNOWN: this history cannot be judged, which is no pass',
} as const;
