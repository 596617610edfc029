/**
 * The schedule executor: does to a cluster what the steps of a scenario say, in order.
 *
 * What has begun is ended whatever happens: by its step, by its time limit, or when the steps
 * are over or break off.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Begin, Step, Strike, Target } from '../scenario/step.ts';
import { type ActiveFault, beginFault, type EndedBy, type FaultPlan } from './active-fault.ts';
import { pauseFor } from './begun.ts';
import { catalogue } from './catalogue.ts';
import { createChance } from './chance.ts';
import type { Fault } from './fault.ts';
import type { Nemesis, NemesisOptions, PlayedFault } from './nemesis.ts';
import { describeNodes, type Finding, findTargets } from './find-targets.ts';
import { TargetError } from './targets.ts';

/** One pass through the steps. */
interface Play extends Finding {
  readonly options: NemesisOptions;
  readonly faults: ReadonlyMap<string, Fault>;
  readonly repeat: number;
  readonly signal: AbortSignal;
  readonly nextFaultId: () => number;
  /** Given by `let`. */
  readonly names: Map<string, number>;
  /** By the name under which a step can end them; in the order of their beginning. */
  readonly lasting: Map<string, ActiveFault>;
  /** Everything that was begun. */
  readonly begun: ActiveFault[];
}

const pollMs = 50;
const seedMax = 2 ** 32;

export function createNemesis(options: NemesisOptions, faults: ReadonlyMap<string, Fault> = catalogue): Nemesis {
  const plays: Play[] = [];
  let lastFaultId = 0;
  return {
    play: (steps, repeat) => {
      const play: Play = {
        options,
        faults,
        repeat,
        signal: options.signal ?? new AbortController().signal,
        nextFaultId: () => (lastFaultId += 1),
        names: new Map(),
        lasting: new Map(),
        begun: [],
        lastSeen: undefined,
      };
      plays.push(play);
      return playSteps(play, steps);
    },
    healAll: async () => {
      for (const play of plays) await endAll(play, 'final-heal');
    },
  };
}

/** Rejects with the reason of the signal, or if a step cannot be done. Ends all faults before. */
async function playSteps(play: Play, steps: readonly Step[]): Promise<readonly PlayedFault[]> {
  try {
    for (const step of steps) await playStep(play, step, play.signal);
  } finally {
    await endAll(play, 'final-heal');
  }
  return play.begun.map(({ plan, proofs }) => ({ fault: plan.id, name: plan.name, proofs: proofs() }));
}

/** The last that began ends first. */
async function endAll({ begun }: Pick<Play, 'begun'>, by: EndedBy): Promise<void> {
  for (const fault of begun.toReversed()) await fault.end(by);
}

async function playStep(play: Play, step: Step, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if ('together' in step) return playTogether(play, step.together, signal);
  if ('strike' in step) return strike(play, step, signal);
  if ('begin' in step) return begin(play, step, signal);
  if ('end' in step) return end(play, step.end);
  if ('let' in step) return bind(play, step.let, signal);
  if ('wait' in step) return rest(step.wait, signal);
  if ('awaitAcks' in step) return awaitAcks(play, step.awaitAcks, step.withinMs, signal);
  const isCalm = await play.options.untilCalm(step.awaitCalm, signal);
  if (!isCalm) remark(play, `no calm within ${step.awaitCalm} ms`);
}

/** One that fails ends the waits of the others. */
async function playTogether(play: Play, steps: readonly Step[], signal: AbortSignal): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const playing = steps.map(async (step) => {
    try {
      await playStep(play, step, either);
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  });
  await Promise.allSettled(playing);
  either.throwIfAborted();
}

async function strike(play: Play, { strike: name, target, with: parameters, ttlMs, forMs }: Strike, signal: AbortSignal): Promise<void> {
  const fault = await beginNamed(play, { name, target, parameters, ttlMs }, signal);
  await pauseFor(forMs, signal);
  await fault.end('schedule');
  signal.throwIfAborted();
}

async function begin(
  play: Play,
  { begin: label, fault: name, target, with: parameters, ttlMs }: Begin,
  signal: AbortSignal,
): Promise<void> {
  const before = play.lasting.get(label);
  if (before?.isOver() === false) throw new Error(`"${label}" lasts already; end it first, or give the other one another name`);
  play.lasting.set(label, await beginNamed(play, { name, target, parameters, ttlMs }, signal));
}

async function end(play: Play, label: string): Promise<void> {
  if (label === 'all') return endAll(play, 'schedule');
  await play.lasting.get(label)?.end('schedule');
  play.lasting.delete(label);
}

async function bind(play: Play, wanted: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
  // By one look, and against the names that were there before: the roles of one step do not shift.
  const { found } = await findTargets(play, Object.values(wanted), signal);
  for (const [i, name] of Object.keys(wanted).entries()) {
    const [node, ...more] = found[i] ?? [];
    if (node === undefined || more.length > 0) throw new TargetError(`${name} is to be one node, and ${wanted[name]} is not`, false);
    play.names.set(name, node);
  }
  remark(
    play,
    Object.keys(wanted)
      .map((name) => `${name} is node ${play.names.get(name)}`)
      .join(', '),
  );
}

async function awaitAcks(play: Play, count: number, withinMs: number, signal: AbortSignal): Promise<void> {
  const { acked } = play.options;
  const before = acked();
  const endMs = performance.now() + withinMs;
  while (acked() < before + count && performance.now() < endMs) await rest(pollMs, signal);
  const seen = acked() - before;
  if (seen < count) remark(play, `${seen} of ${count} awaited records were acknowledged within ${withinMs} ms`);
}

interface Wanted {
  readonly name: string;
  readonly target: Target;
  readonly parameters: unknown;
  readonly ttlMs: number;
}

async function beginNamed(play: Play, { name, target, parameters, ttlMs }: Wanted, signal: AbortSignal): Promise<ActiveFault> {
  const { options, faults, repeat } = play;
  const entry = faults.get(name);
  if (entry === undefined) throw new Error(`there is no fault called "${name}"`);
  const prepared = entry.prepare(parameters);
  const { found, seen } = await findTargets(play, [entry.scope === 'cluster' ? 'all' : target], signal);
  const nodes = found[0] ?? [];
  const random = createChance(options.random.below(seedMax));
  const plan: FaultPlan = {
    id: play.nextFaultId(),
    repeat,
    name,
    what: prepared.describe(describeNodes(nodes, seen, options.partition)),
    nodes,
    partitionsLed: seen.led.filter(({ leader }) => nodes.includes(leader)).map(({ topic, partition }) => ({ topic, partition })),
    prepared,
    context: { ...options, random, ttlMs, onNode: (node, state) => options.timeline({ kind: 'node', tNs: options.nowNs(), node, state }) },
  };
  const fault = await beginFault(plan, options);
  play.begun.push(fault);
  return fault;
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}

function remark({ options }: Play, text: string): void {
  options.timeline({ kind: 'remark', tNs: options.nowNs(), text });
}
