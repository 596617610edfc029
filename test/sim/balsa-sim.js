#!/usr/bin/env node
/**
 * Launcher of the `balsa-sim` command. Plain JavaScript for any Node from 18 on: it hands over
 * to the Node that is installed in this checkout (npm package `node`), the one that runs the
 * brokers. Signals and the exit code pass through.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const main = fileURLToPath(new URL('./run/main.ts', import.meta.url));
const binary = path.join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

if (existsSync(binary)) handOver();
else {
  process.stderr.write(
    `error: the Node of this checkout is not installed\n  why:  ${binary} is missing\n  next: run "npm ci" in ${root}\n`,
  );
  process.exitCode = 1;
}

function handOver() {
  // Keeps the compiled sources between runs.
  const env = { NODE_COMPILE_CACHE: path.join(tmpdir(), 'node-compile-cache'), ...process.env };
  const child = spawn(binary, [main, ...process.argv.slice(2)], { stdio: 'inherit', env });
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  // Ctrl-C on a terminal reaches the child by itself; forwarding it would count as a second one.
  const onTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  process.on('SIGINT', () => onTerminal || child.kill('SIGINT'));
  child.on('error', (error) => {
    process.stderr.write(`error: cannot start ${binary}\n  why:  ${error.message}\n  next: run "npm ci" in ${root}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}
