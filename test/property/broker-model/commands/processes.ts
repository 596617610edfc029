/** Processes of the nodes end, begin and stand still. */
import { SimFailure } from '../../../sim/checks/sim-failure.ts';
import * as lifecycle from '../../../sim/nemesis/lifecycle.ts';
import { describe } from '../../../sim/run/liveness.ts';
import type { SimNode } from '../../../sim/world/sim-node.ts';
import { disturbance, type ModelCommand } from '../command.ts';
import { isRunning, type Model } from '../model.ts';
import { type Real, throwFailure } from '../real.ts';

const nodeOf = ({ world }: Real, id: number): SimNode => world.nodes[id - 1]!;
const exists = ({ nodes }: Readonly<Model>, node: number): boolean => nodes.includes(node);

type End = 'kill' | 'powerOff';
const endings = {
  kill: { name: 'Kill', end: lifecycle.kill },
  powerOff: { name: 'PowerOff', end: lifecycle.powerOff },
} as const;

export const end = (how: End, node: number): ModelCommand =>
  disturbance({
    name: `${endings[how].name}(${node})`,
    check: (model) => exists(model, node) && !model.down.has(node),
    run: (model, real) => endOne(model, real, how, node),
  });

function endOne(model: Model, real: Real, how: End, node: number): void {
  endings[how].end(real.run, nodeOf(real, node));
  model.down.add(node);
  model.paused.delete(node);
  real.took(endings[how].name);
}

/** A graceful stop hands leaderships over and ends. */
export const stop = (node: number): ModelCommand =>
  disturbance({
    name: `Stop(${node})`,
    check: (model) => isRunning(model, node) && exists(model, node),
    run: async (model, real) => {
      const it = nodeOf(real, node);
      await real.clock.until(`node ${node} has started`, () => it.life !== undefined, startMs);
      lifecycle.stop(real.run, it);
      await real.clock.until(`node ${node} stops`, () => it.clock === undefined || real.run.failure !== undefined, stopMs);
      model.down.add(node);
      real.took('Stop');
    },
  });
const startMs = 5000;
const readyMs = 10_000;
const stopMs = 3000;

export const restart = (node: number): ModelCommand =>
  disturbance({
    name: `Restart(${node})`,
    check: (model) => model.down.has(node),
    run: (model, real) => startOne(model, real, node),
  });

function startOne(model: Model, real: Real, node: number): void {
  lifecycle.start(real.run, nodeOf(real, node));
  model.down.delete(node);
  real.took('Restart');
}

/** What runs ends, and everything starts. */
export const restartAll = (how: End): ModelCommand =>
  disturbance({
    name: `RestartAll(${endings[how].name})`,
    run: (model, real) => {
      for (const node of model.nodes) if (!model.down.has(node)) endOne(model, real, how, node);
      for (const node of model.nodes) startOne(model, real, node);
      real.took('RestartAll');
    },
  });

export const powerOffAll = (): ModelCommand =>
  disturbance({
    name: 'PowerOffAll()',
    check: (model) => model.down.size < model.nodes.length,
    run: (model, real) => {
      endAll(model, real);
      real.took('PowerOffAll');
    },
  });

/** SIGSTOP. */
export const pause = (node: number): ModelCommand =>
  disturbance({
    name: `Pause(${node})`,
    check: (model) => exists(model, node) && isRunning(model, node),
    run: (model, real) => {
      lifecycle.pause(real.run, nodeOf(real, node));
      model.paused.add(node);
      real.took('Pause');
    },
  });

/** Whoever stands still goes on, and finds everything that has happened meanwhile. */
export const resume = (): ModelCommand =>
  disturbance({
    name: 'Resume()',
    check: ({ paused }) => paused.size > 0,
    run: (model, real) => {
      resumeAll(model, real);
      real.took('Resume');
    },
  });

function resumeAll({ paused }: Model, real: Real): void {
  for (const node of paused) lifecycle.resume(real.run, nodeOf(real, node));
  paused.clear();
}

/** Everything runs again; resolves when all nodes say that they are ready. */
export async function runAll(model: Model, real: Real): Promise<void> {
  startAll(model, real);
  const isOver = (): boolean => real.run.failure !== undefined || real.world.nodes.every(isReady);
  await real.clock.until('all nodes are ready', isOver, readyMs).catch((error: unknown) => {
    throw new SimFailure('healed nodes become ready', `${String(error)} ${JSON.stringify(describe(real.run))}`);
  });
  throwFailure(real);
}

export function startAll(model: Model, real: Real): void {
  resumeAll(model, real);
  for (const node of model.down) lifecycle.start(real.run, nodeOf(real, node));
  model.down.clear();
}

export const isReady = ({ life }: SimNode): boolean => life?.broker.readiness().every(({ problem }) => problem === undefined) === true;

/** All lose power at once: what was acknowledged is on the disks. */
export async function losePowerTogether(model: Model, real: Real): Promise<void> {
  endAll(model, real);
  await runAll(model, real);
}

export function endAll(model: Model, real: Real): void {
  for (const node of model.nodes) if (!model.down.has(node)) endOne(model, real, 'powerOff', node);
}
