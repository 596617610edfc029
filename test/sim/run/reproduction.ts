/** The one line that repeats a run, and the commit that it belongs to. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { printOverrides } from './override-flags.ts';
import type { SeedRequest } from './seed-outcome.ts';

/** Can be pasted into a shell: the commit is a comment. */
export function reproductionLine({ seed, overrides }: SeedRequest, commit: string): string {
  const flags = printOverrides(overrides);
  return `npx balsa-sim --seed ${seed}${flags === '' ? '' : ` ${flags}`}  # commit ${commit}`;
}

/** Of this checkout, with a word on changes that no commit has. */
export function currentCommit(): string {
  const folder = fileURLToPath(new URL('.', import.meta.url));
  const git = (...args: readonly string[]): string | undefined => {
    const { status, stdout } = spawnSync('git', args, { cwd: folder, encoding: 'utf8' });
    return status === 0 ? stdout.trim() : undefined;
  };
  const commit = git('rev-parse', '--short=10', 'HEAD');
  if (commit === undefined) return 'unknown';
  return git('status', '--porcelain') === '' ? commit : `${commit} with changes`;
}
