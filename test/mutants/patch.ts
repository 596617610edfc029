/**
 * A mutant: one small, realistic bug as a replacement of text in one source file, and the
 * checks that must notice it. Sources on disk never change: the replacement happens while
 * a test process loads the file (vite-plugin.ts, hook.ts).
 *
 * A replacement whose `find` does not occur exactly once throws: it would otherwise plant
 * another bug than the one named, or none.
 */

/** Tests of one vitest file whose full name contains `test`; all of them without it. */
export interface VitestCheck {
  readonly kind: 'vitest';
  /** From the repository root. */
  readonly file: string;
  readonly test?: string;
}

/** A program of this repository run by Node; exit code 1 says that it found something wrong, any other but 0 that it did not run. */
export interface ProgramCheck {
  readonly kind: 'program';
  /** Script (from the repository root) and its arguments. */
  readonly args: readonly string[];
}

export type Check = VitestCheck | ProgramCheck;

export interface Mutant {
  readonly id: string;
  /** Row of the bug catalogue (B1..B26), or the area of a bug that is in no row. */
  readonly row: string;
  /** What the bug is. */
  readonly title: string;
  /** From the repository root. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Tried in this order until one fails. */
  readonly checks: readonly [Check, ...Check[]];
  /** Whole simulated clusters must notice it, too, without a test made for it (by-simulation.ts); `faults`: only with these. */
  readonly bySimulation?: { readonly faults?: string };
}

/** A row of the bug catalogue for which there is no code yet. */
export interface NotApplicable {
  readonly row: string;
  readonly reason: string;
  /** Paths that come with the feature: once one of them exists, the row needs a mutant. */
  readonly until: readonly string[];
}

/** The source with the bug in it. Throws if the place is not there, or not the only one. */
export function applyPatch({ id, file, find, replace }: Pick<Mutant, 'id' | 'file' | 'find' | 'replace'>, source: string): string {
  const pieces = source.split(find);
  if (pieces.length !== 2) {
    throw new Error(
      `mutant ${id}: its text occurs ${pieces.length - 1} times in ${file}, not once; look for where the code went:\n${find}`,
    );
  }
  return pieces.join(replace);
}

/** A golden script of the consensus core. */
export const script = (name: string): VitestCheck => ({
  kind: 'vitest',
  file: 'test/interaction/interaction.test.ts',
  test: `${name}.txt`,
});

/** Tests of `test/<path>.test.ts` whose name contains `test`. */
export const tests = (path: string, test?: string): VitestCheck => ({
  kind: 'vitest',
  file: `test/${path}.test.ts`,
  ...(test !== undefined && { test }),
});

export const describeCheck = (check: Check): string =>
  check.kind === 'program' ? check.args.join(' ') : check.file + (check.test === undefined ? '' : ` › ${check.test}`);
