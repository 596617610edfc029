/** Test projects: one per cost class, cheapest first. */
import { defineConfig } from 'vitest/config';
import { mutantPlugin, moduleCache } from './test/mutants/vite-plugin.ts';

// One project per cost class, cheapest first; `make test` runs them all.
const project = (name: string, include: string[], extra: Record<string, unknown> = {}) => ({
  extends: true as const,
  test: { name, include, ...extra },
});

export default defineConfig({
  plugins: [mutantPlugin(process.env)],
  test: {
    ...moduleCache(process.env),
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    projects: [
      project('unit', ['test/unit/**/*.test.ts']),
      project('interaction', ['test/interaction/**/*.test.ts']),
      project('property', ['test/property/**/*.test.ts'], { testTimeout: 120_000 }),
      project('spec', ['test/spec/**/*.test.ts'], { testTimeout: 120_000 }),
      project('sim', ['test/sim/**/*.test.ts'], { testTimeout: 120_000 }),
      project('contract', ['test/contract/**/*.test.ts'], { testTimeout: 60_000 }),
      project('integration', ['test/integration/**/*.test.ts'], { testTimeout: 120_000, hookTimeout: 60_000, fileParallelism: false }),
      project('mutants', ['test/mutants/**/*.test.ts'], { testTimeout: 120_000, fileParallelism: false }),
      project('tidy', ['test/tidy.test.ts', 'test/docs/**/*.test.ts']),
    ],
  },
});
