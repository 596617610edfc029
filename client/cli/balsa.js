#!/usr/bin/env node
/**
 * Launcher of the `balsa` command. Plain JavaScript for any Node from 18 on: the command
 * line itself is TypeScript and needs Node 24, so an older Node hands over to the one that
 * is installed next to it (npm package `node`). Signals and the exit code pass through.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const majorMin = 24;
const main = new URL('./main.ts', import.meta.url);

if (Number(process.versions.node.split('.')[0]) >= majorMin) {
  // Keeps the compiled sources between runs: a command then starts in half the time.
  module.enableCompileCache?.();
  await import(main.href);
} else {
  runWith(findNode(path.dirname(fileURLToPath(import.meta.url))));
}

/** The binary of the npm package `node` in the nearest node_modules; undefined if there is none. */
function findNode(folder) {
  const binary = path.join(folder, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (existsSync(binary)) return binary;
  const parent = path.dirname(folder);
  return parent === folder ? undefined : findNode(parent);
}

function runWith(binary) {
  if (binary === undefined) {
    process.stderr.write(
      `error: balsa needs Node ${majorMin} or newer\n` +
        `  why:  this is Node ${process.versions.node}, and the npm package "node" is not installed next to balsa\n` +
        `  next: install Node ${majorMin}, or run "npm ci" in the checkout\n`,
    );
    process.exit(1);
  }
  const env = { NODE_COMPILE_CACHE: path.join(tmpdir(), 'node-compile-cache'), ...process.env };
  const child = spawn(binary, [fileURLToPath(main), ...process.argv.slice(2)], { stdio: 'inherit', env });
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  // Ctrl-C on a terminal reaches the child by itself; forwarding it would count as a second one.
  const onTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  process.on('SIGINT', () => onTerminal || child.kill('SIGINT'));
  child.on('error', (error) => {
    process.stderr.write(`error: cannot start ${binary}\n  why:  ${error.message}\n  next: run "npm ci" in the checkout\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}
