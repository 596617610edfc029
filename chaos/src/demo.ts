/**
 * `make demo`: what a failure costs, in under a minute. Three brokers in a temporary
 * folder, 200,000 keyed records, one leader killed with kill -9 in between. Exits with 0
 * only if every acknowledged record is there exactly once and in order.
 *
 * Processes and folder are removed whatever happens, also after Ctrl-C; only when the
 * check fails the folder is kept, because it is the evidence.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startLocalCluster } from '@balsa/node/local-cluster/local-cluster.ts';
import { runScenario } from './demo/scenario.ts';
import { createScreen } from './terminal/screen.ts';
import { isSuccess, summaryRows, summarySentence } from './demo/summary.ts';

const scenario = { records: 200_000, keys: 1000, valueBytes: 100, partitions: 6 };
const exitInterrupted = 130;

const dir = mkdtempSync(path.join(tmpdir(), 'balsa-demo-'));
const interrupter = new AbortController();
const { signal } = interrupter;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interrupter.abort());

let keepFolder = false;
const removeFolder = (): void => {
  if (!keepFolder) rmSync(dir, { recursive: true, force: true });
};
process.exitCode = await run();
removeFolder();

async function run(): Promise<number> {
  const screen = createScreen(process.stdout, performance.now());
  screen.progress('starting three brokers ...');
  await using cluster = await startLocalCluster({ nodes: 3, dir, portBase: 'free' });
  try {
    const result = await runScenario(cluster, scenario, screen, signal);
    screen.table(summaryRows(result));
    screen.sentence(summarySentence(result), isSuccess(result));
    if (isSuccess(result)) return 0;
    keepFolder = true;
    for (const { kind, key, sequence } of result.verdict.findings) process.stderr.write(`  ${kind}: ${key} #${sequence}\n`);
    process.stderr.write(`data and logs are kept in ${dir}\n`);
    return 1;
  } catch (cause) {
    if (signal.aborted) {
      screen.step('interrupted; brokers and data are removed');
      return exitInterrupted;
    }
    screen.sentence(`FAILED: ${cause instanceof Error ? cause.message : String(cause)}`, false);
    return 1;
  } finally {
    // The data goes away with the processes: there is nothing to hand over or to close.
    for (const node of cluster.nodes) node.kill('SIGKILL');
  }
}
