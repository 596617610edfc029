/**
 * Runs one check, with or without a mutant, in a process of its own.
 *
 * A mutant is killed only by a test that ran and failed, or by a program that says so
 * with exit code 1. A file that cannot be loaded, no matching test, a time-out, or a patch that
 * was never loaded are errors: they show a fault of the catalogue, not of the code.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { mutantVariable, proofVariable } from './active.ts';
import type { Check, Mutant, ProgramCheck, VitestCheck } from './patch.ts';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const vitestProgram = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
const hook = pathToFileURL(path.join(root, 'test', 'mutants', 'hook.ts')).href;

export type CheckResult =
  /** Every test passed. */
  | { readonly kind: 'passed' }
  /** `by`: name of the first test that failed, or what the program said; `why`: first line of the failure. */
  | { readonly kind: 'failed'; readonly by: string; readonly why: string }
  | { readonly kind: 'error'; readonly message: string };

export interface CheckOptions {
  readonly limitMs: number;
  readonly signal?: AbortSignal;
}

/** Runs `check` with `mutant` planted, or as things are without one. */
export async function runCheck(check: Check, mutant: Mutant | undefined, options: CheckOptions): Promise<CheckResult> {
  const folder = mkdtempSync(path.join(tmpdir(), 'balsa-mutant-'));
  try {
    const proof = path.join(folder, 'proof');
    const environment = mutant === undefined ? {} : { [mutantVariable]: mutant.id, [proofVariable]: proof };
    const result =
      check.kind === 'vitest' ? await runVitest(check, folder, environment, options) : await runProgram(check, environment, options);
    return mutant === undefined ? result : proven(mutant, proof, result);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Without a proof that the bug was there the result says nothing. */
function proven(mutant: Mutant, proof: string, result: CheckResult): CheckResult {
  const planted = existsSync(proof) && readFileSync(proof, 'utf8').split('\n').includes(mutant.id);
  if (planted || result.kind === 'error') return result;
  return { kind: 'error', message: `the mutant was not planted: the check does not load ${mutant.file}` };
}

interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly late: boolean;
}

/** Of a program's output, what is kept. */
const outputMax = 64 * 1024;

/** Runs Node in a process group of its own, so that nothing it started outlives the check. */
function runNode(args: readonly string[], environment: Record<string, string>, { limitMs, signal }: CheckOptions): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: { ...cleanEnvironment(), ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let output = '';
    let late = false;
    const take = (data: Buffer): void => {
      output = (output + data.toString()).slice(-outputMax);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const end = (): void => killGroup(child.pid);
    const timer = setTimeout(() => {
      late = true;
      end();
    }, limitMs);
    signal?.addEventListener('abort', end, { once: true });
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
    };
    child.once('error', (error) => {
      settle();
      reject(error);
    });
    child.once('close', (code) => {
      settle();
      resolve({ code, output, late });
    });
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The environment without what another vitest, or the caller's own Node options, put there. */
function cleanEnvironment(): Record<string, string> {
  const foreign = /^(VITEST|BALSA_|VITE_|NODE_OPTIONS$|NODE_ENV$|TEST$|FORCE_COLOR$|NODE_TEST_)/;
  const kept = Object.entries(process.env).filter(([name, value]) => value !== undefined && !foreign.test(name));
  return { ...(Object.fromEntries(kept) as Record<string, string>), NO_COLOR: '1' };
}

const lateError = (check: string, limitMs: number): CheckResult => ({
  kind: 'error',
  message: `no result within ${limitMs / 1000} s: ${check}`,
});

/** Parts of vitest's JSON report that are used. */
interface VitestReport {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

async function runVitest(
  check: VitestCheck,
  folder: string,
  environment: Record<string, string>,
  options: CheckOptions,
): Promise<CheckResult> {
  const report = path.join(folder, 'report.json');
  const filter = check.test === undefined ? [] : ['--testNamePattern', check.test.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`)];
  const args = [vitestProgram, 'run', check.file, ...filter, '--reporter=json', `--outputFile=${report}`, '--bail=1'];
  const { code, output, late } = await runNode(args, environment, options);
  if (late) return lateError(check.file, options.limitMs);
  if (!existsSync(report)) return { kind: 'error', message: `vitest made no report (exit code ${code}): ${lastLines(output)}` };
  return judgeReport(check, JSON.parse(readFileSync(report, 'utf8')) as VitestReport, code, output);
}

function judgeReport(check: VitestCheck, report: VitestReport, code: number | null, output: string): CheckResult {
  const failed = report.testResults.flatMap(({ assertionResults }) => assertionResults).find(({ status }) => status === 'failed');
  if (failed !== undefined) return { kind: 'failed', by: failed.fullName, why: firstLine(failed.failureMessages?.[0] ?? '') };
  const broken = report.testResults.find(({ message }) => message !== undefined && message !== '')?.message;
  if (broken !== undefined) return { kind: 'error', message: `${check.file} cannot be run: ${firstLine(broken)}` };
  if (report.numPassedTests === 0) return { kind: 'error', message: `no test of ${check.file} has "${check.test ?? ''}" in its name` };
  return code === 0
    ? { kind: 'passed' }
    : { kind: 'error', message: `vitest ended with ${code} although no test failed: ${lastLines(output)}` };
}

async function runProgram(check: ProgramCheck, environment: Record<string, string>, options: CheckOptions): Promise<CheckResult> {
  // By the environment, so that the processes that the program starts have the bug, too.
  const { code, output, late } = await runNode(check.args, { ...environment, NODE_OPTIONS: `--import=${hook}` }, options);
  if (late) return lateError(check.args.join(' '), options.limitMs);
  if (code === 0) return { kind: 'passed' };
  const lines = output.trim().split('\n');
  if (code === 1)
    return { kind: 'failed', by: check.args.join(' '), why: lines.find((line) => failureLine.test(line)) ?? lines.at(-1) ?? '' };
  return { kind: 'error', message: `${check.args.join(' ')} ended with ${code}: ${lastLines(output)}` };
}

/** A program that found something says in which seed. */
const failureLine = /^(FAILED )?seed /;
const firstLine = (text: string): string => text.split('\n')[0] ?? '';
const lastLines = (text: string): string => text.trim().split('\n').slice(-8).join('\n');
