/** A real process that runs a share of the time, and is left as it was found. */
import type { ChildProcess } from 'node:child_process';
import type { NodeState } from '@balsa/chaos/cluster/chaos-node.ts';
import { proveCpuThrottled, throttleCpu } from '@balsa/chaos/cluster/cpu-throttle.ts';
import { processState } from '@balsa/chaos/cluster/process-state.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../chaos-links/echo.ts';
import { endAll, onEnd, startChild } from './child.ts';

const share = 0.2;
const sampledMs = 500;

let child: ChildProcess & { readonly pid: number };
let state: NodeState;
const signals: string[] = [];
const node = {
  id: 1,
  pid: () => child.pid,
  state: () => state,
  signal: (signal: 'SIGSTOP' | 'SIGCONT') => {
    signals.push(signal);
    child.kill(signal);
  },
};
beforeEach(async () => {
  child = await startChild();
  state = 'running';
  signals.length = 0;
});
afterEach(endAll);

const throttled = (): void => onEnd(throttleCpu(node, share));
const turns = async (count: number): Promise<void> => {
  const before = signals.length;
  await until('some turns', () => signals.length >= before + count);
};

test('is stopped and continued in turns, and runs when it is healed', async () => {
  expect(await proveCpuThrottled(node, share, sampledMs)).toMatchObject({ holds: false });
  const heal = throttleCpu(node, share);
  onEnd(heal);
  const proof = await proveCpuThrottled(node, share, sampledMs);
  expect(proof, proof.evidence).toMatchObject({ claim: 'node 1 runs 20 % of the time', holds: true });
  await until('a stop', () => signals.at(-1) === 'SIGSTOP');
  heal();
  await until('it runs', async () => (await processState(child.pid)) === 'running');
  const told = signals.length;
  heal();
  expect(await proveCpuThrottled(node, share, sampledMs)).toMatchObject({ holds: false });
  expect(signals.length).toBe(told);
});

test('a process that is merely paused is not throttled', async () => {
  child.kill('SIGSTOP');
  await until('it is stopped', async () => (await processState(child.pid)) === 'paused');
  expect(await proveCpuThrottled(node, share, sampledMs)).toMatchObject({ holds: false });
});

test('a node that somebody has paused stays so, also when the throttle ends', async () => {
  const heal = throttleCpu(node, share);
  onEnd(heal);
  await turns(3);
  state = 'paused';
  child.kill('SIGSTOP');
  await until('it is stopped', async () => (await processState(child.pid)) === 'paused');
  const told = signals.length;
  expect(await proveCpuThrottled(node, share, sampledMs)).toMatchObject({ holds: false });
  heal();
  expect(await processState(child.pid)).toBe('paused');
  expect(signals.length).toBe(told);
});

test('a node that is asked to end is not stopped any more', async () => {
  throttled();
  await turns(2);
  state = 'stopping';
  const before = signals.length;
  await turns(3);
  expect(new Set(signals.slice(before))).toEqual(new Set(['SIGCONT']));
  await until('it runs', async () => (await processState(child.pid)) === 'running');
});

test.each([0, 1, -1, 2, Number.NaN])('a share of %d is none', (of) => {
  expect(() => throttleCpu(node, of)).toThrow('the share of a throttled node');
  expect(signals).toEqual([]);
});
