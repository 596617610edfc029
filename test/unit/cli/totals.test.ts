import { describe, expect, test } from 'vitest';
import { add, failedTests, none, ofCheck, ofVitest, totalsLine } from '../../run/totals.ts';

const report = (...files: readonly { status: string; tests: readonly string[] }[]): string =>
  JSON.stringify({
    testResults: files.map(({ status, tests }, file) => ({
      name: `${file}.test.ts`,
      status,
      assertionResults: tests.map((result, test) => ({ status: result, fullName: `test ${test}` })),
    })),
  });

describe('totals of make test', () => {
  test('tests count one by one; pending and todo ones are skipped', () => {
    const text = report(
      { status: 'passed', tests: ['passed', 'passed', 'pending', 'todo'] },
      { status: 'failed', tests: ['passed', 'failed'] },
    );
    expect(ofVitest(text, 1)).toEqual({ passed: 3, failed: 1, skipped: 2 });
  });

  test('a file that cannot be loaded is one failure, beside those of other files', () => {
    const text = report({ status: 'failed', tests: [] }, { status: 'passed', tests: ['passed'] }, { status: 'failed', tests: ['failed'] });
    expect(ofVitest(text, 1)).toEqual({ passed: 1, failed: 2, skipped: 0 });
  });

  test('what failed is named, a file that cannot be loaded by itself', () => {
    const text = report(
      { status: 'failed', tests: ['passed', 'failed'] },
      { status: 'failed', tests: [] },
      { status: 'passed', tests: [] },
    );
    expect(failedTests(text)).toEqual(['0.test.ts: test 1', '1.test.ts']);
    expect(failedTests(undefined)).toEqual([]);
  });

  test('a failing exit code is a failure even when every test passed', () => {
    expect(ofVitest(report({ status: 'passed', tests: ['passed'] }), 1)).toEqual({ passed: 1, failed: 1, skipped: 0 });
  });

  test.each([undefined, '', '{', '{}', '{"testResults":3}'])('a run without a readable report (%j) is a failure', (text) => {
    expect(ofVitest(text, 0)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  test('checks add up to the last line', () => {
    expect(totalsLine([ofCheck(0), ofCheck(2), ofCheck(0)].reduce(add, none))).toBe('2 passed, 1 failed, 0 skipped');
  });
});
