/**
 * `make start` and `balsa dev`: a cluster of real broker processes on this machine, in the
 * foreground. Ctrl-C stops the brokers in order, a second Ctrl-C kills them. A broker that
 * ends by itself is reported; the others go on.
 */
import { styleText } from 'node:util';
import { Command, InvalidArgumentError } from 'commander';
import { banner } from './local-cluster/banner.ts';
import { claimFolder } from './local-cluster/folder.ts';
import { aborted, interruption } from './local-cluster/interruption.ts';
import { LocalClusterError } from './local-cluster/local-cluster-error.ts';
import { startLocalCluster } from './local-cluster/local-cluster.ts';
import type { LocalNode, NodeExit } from './local-cluster/local-cluster.ts';

interface DevOptions {
  readonly nodes: number;
  readonly dir: string;
  readonly portBase: number;
}

const defaultPortBase = 7070;

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const printError = (text: string): void => void process.stderr.write(`${text}\n`);
const red = (text: string): string => styleText('red', text, { stream: process.stderr });

async function dev(options: DevOptions): Promise<void> {
  const startedMs = performance.now();
  const signal = interruption();
  try {
    claimFolder(options.dir, options.nodes);
    const allEnded = Promise.withResolvers<void>();
    let running = options.nodes;
    const onUnexpectedExit = (node: LocalNode, exit: NodeExit): void => {
      running -= 1;
      reportExit(node, exit, running);
      if (running === 0) allEnded.resolve();
    };
    await using cluster = await startLocalCluster({ ...options, onUnexpectedExit });
    const stopped = aborted(signal);
    await Promise.race([cluster.waitReady(), stopped]);
    if (!signal.aborted) {
      print(banner({ nodes: cluster.nodes, dir: options.dir, readyMs: performance.now() - startedMs }));
    }
    await Promise.race([stopped, allEnded.promise]);
    if (!signal.aborted) throw new LocalClusterError('INTERNAL', 'all brokers have ended; the data is still there');
    print(styleText('dim', '\nstopping the brokers ...'));
    await cluster.stop();
    print(`stopped; the data stays in ${options.dir}`);
  } catch (cause) {
    if (!(cause instanceof LocalClusterError)) throw cause;
    reportFailure(cause, options);
    process.exitCode = 1;
  }
}

function reportExit(node: LocalNode, exit: NodeExit, running: number): void {
  const how = exit.signal === null ? `with code ${exit.code}` : `by ${exit.signal}`;
  printError(`${red(`node ${node.id} ended ${how}`)}${running > 0 ? '; the others go on' : ''}. Its log: ${node.logFile}`);
}

function reportFailure(error: LocalClusterError, options: DevOptions): void {
  const remedies: Readonly<Record<string, string>> = {
    PORT_IN_USE: `stop the other process, or choose other ports: npx balsa dev --dir ${options.dir} --port-base ${options.portBase + 1000}`,
    CONFIG_INVALID: 'choose another folder (--dir), or start with the number of brokers that it has',
  };
  printError(`${red('error:')} ${error.message}\n  next: ${remedies[error.code] ?? `look at the logs in ${options.dir}/`}`);
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Give a whole number.');
  return Number(text);
}

await new Command('dev')
  .description('Runs a cluster of brokers on this machine, in the foreground.')
  .option('--nodes <n>', 'number of brokers', wholeNumber, 3)
  .option('--dir <folder>', 'where the data lives', '.balsa')
  .option('--port-base <port>', 'P: clients P, P+1 ...; brokers among themselves P+10 ...; http P+20 ...', wholeNumber, defaultPortBase)
  .action(dev)
  .parseAsync();
