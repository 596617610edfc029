/** Counts of passed, failed and skipped checks, from real results only. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const none: Totals = { passed: 0, failed: 0, skipped: 0 };

export function add(a: Totals, b: Totals): Totals {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** A check without parts: its exit code decides. */
export function ofCheck(exitCode: number): Totals {
  return exitCode === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
}

/** The part of vitest's JSON report that is counted. */
interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/**
 * Counts a vitest run. A file that could not be loaded has no tests to count and counts as
 * one failure; so does a run that failed although every test passed (an unhandled error),
 * and a run without a readable report. Thus a failing exit code never yields "0 failed".
 */
export function ofVitest(report: string | undefined, exitCode: number): Totals {
  const files = report === undefined ? undefined : parse(report)?.testResults;
  if (files === undefined) return { passed: 0, failed: 1, skipped: 0 };
  let totals = none;
  for (const file of files) {
    const statuses = file.assertionResults.map((test) => test.status);
    const count = (wanted: (status: string) => boolean): number => statuses.filter(wanted).length;
    const failed = count((status) => status === 'failed');
    const passed = count((status) => status === 'passed');
    totals = add(totals, { passed, failed, skipped: statuses.length - passed - failed });
    if (file.status === 'failed' && failed === 0) totals = add(totals, ofCheck(1));
  }
  return exitCode !== 0 && totals.failed === 0 ? add(totals, ofCheck(exitCode)) : totals;
}

const namesMax = 50;

/** Which tests failed, with their files; a file that could not be loaded by its name. Only so many. */
export function failedTests(report: string | undefined): readonly string[] {
  const files = report === undefined ? [] : (parse(report)?.testResults ?? []);
  const named = files.flatMap(({ name, status, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === 'failed');
    return failed.length === 0 && status === 'failed' ? [name] : failed.map(({ fullName }) => `${name}: ${fullName}`);
  });
  return named.slice(0, namesMax);
}

function parse(report: string): VitestReport | undefined {
  try {
    const value = JSON.parse(report) as Partial<VitestReport>;
    return Array.isArray(value.testResults) ? { testResults: value.testResults } : undefined;
  } catch {
    return undefined;
  }
}

export function totalsLine({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
