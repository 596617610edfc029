#!/usr/bin/env node
/**
 * The broker process: reads the configuration, starts a node, ends it on a signal.
 *
 * stdout gets one line when the node listens; the log goes to stderr. Exit codes are in
 * `--help`. Whatever nobody handled ends the process: a broker that goes on after an
 * unknown failure could acknowledge what is not there.
 */
import { readFileSync } from 'node:fs';
import type { ExitName } from './assembly/exit-code.ts';
import { exitCodeHelp, exitCodes, exitNameOf, lastWordsOf } from './assembly/exit-code.ts';
import type { RunningNode } from './assembly/start-node.ts';
import { startNode } from './assembly/start-node.ts';
import { ConfigError } from './config/config-error.ts';
import { helpText } from './config/help.ts';
import { loadConfig, type LoadedConfig } from './config/load.ts';
import { InvariantViolation } from './core/assert.ts';
import type { NodeLog } from './telemetry/logger.ts';
import { createLog } from './telemetry/logger.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { readonly version: string };

function exit(name: ExitName): never {
  process.exit(exitCodes[name].code);
}

function readConfig(): Extract<LoadedConfig, { readonly kind: 'config' }> {
  try {
    const loaded = loadConfig({ args: process.argv.slice(2), env: process.env });
    if (loaded.kind === 'config') return loaded;
    process.stdout.write(loaded.kind === 'help' ? helpText(exitCodeHelp()) : `${version}\n`);
    exit('STOPPED');
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`CONFIG_INVALID: the node was not started.\n${error.message.replace(/^/gm, '  ')}\n--help lists all settings.\n`);
    exit('CONFIG_INVALID');
  }
}

/** The last words: what happened, the state that shows it, then the end. */
function endWith(error: unknown, { log, flush }: NodeLog, node: RunningNode | undefined): never {
  const name = exitNameOf(error);
  const details = error instanceof InvariantViolation ? error.details : undefined;
  log.fatal({ err: error, code: name, details, groups: describeGroups(node) }, 'the node cannot go on');
  flush();
  process.stderr.write(`${name}: ${lastWordsOf(error)}\n`);
  exit(name);
}

function describeGroups(node: RunningNode | undefined): unknown {
  try {
    return node?.broker.raftStatus('all').map(({ group, role, leader, term, commit, applied, durable, last }) => ({
      group,
      role,
      leader,
      term,
      commit,
      applied,
      durable,
      last,
    }));
  } catch (error) {
    return `unreadable: ${String(error)}`;
  }
}

async function run(): Promise<void> {
  const { config, unsafeFaults } = readConfig();
  const nodeLog = createLog({ ...config.log, nodeId: config.node.id });
  const { log, flush } = nodeLog;
  let node: RunningNode | undefined;
  const fatal = (error: unknown): never => endWith(error, nodeLog, node);
  process.on('uncaughtException', fatal);
  process.on('unhandledRejection', fatal);
  try {
    node = await startNode({ config, version, log, unsafeFaults, onFatal: fatal });
  } catch (error) {
    fatal(error);
    return;
  }
  const { clientAddress, peerAddress, httpAddress } = node.addresses;
  process.stdout.write(`balsa node ${config.node.id} is listening: client ${clientAddress}, peer ${peerAddress}, http ${httpAddress}\n`);
  log.info({ version, pid: process.pid, ...node.addresses }, 'listening');
  const signal = await nextSignal();
  log.info({ signal }, 'stopping');
  process.once('SIGINT', () => exit('STOP_TIMEOUT'));
  setTimeout(() => {
    log.error('the graceful stop took too long');
    flush();
    exit('STOP_TIMEOUT');
  }, config.maintenance.stopMs).unref();
  await node.stop();
  log.info('stopped');
  flush();
  exit('STOPPED');
}

function nextSignal(): Promise<string> {
  return new Promise((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
}

await run();
