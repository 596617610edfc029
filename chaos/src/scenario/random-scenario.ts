/**
 * A mix of faults that a seed draws: which kinds there are at all, when they strike, whom, and
 * for how long. Pure: the same seed is the same scenario, which can be written down and kept.
 *
 * A run that knows few kinds meets states that a run with all of them never reaches, because
 * one kind hides the other; so each family is there or not by the toss of a coin. A quarter of
 * the periods is quiet. Two faults at a time strike different nodes in different ways.
 */
import { type Chance, createChance } from '../nemesis/chance.ts';
import { drawStrike, type DrawnFamily, drawnFamilies } from './drawn-strikes.ts';
import { type Scenario, scenarioSchema } from './scenario.ts';
import type { Step } from './step.ts';

export interface RandomOptions {
  /** For how long faults strike, about. */
  readonly minutes: number;
  readonly seed: number;
}

const msPerMinute = 60_000;
/** One pass through the steps is at most so long; longer runs repeat it, on a cluster that has become another one. */
const passMsMax = 4 * msPerMinute;
const stepsMax = 96;
const periodMs = { from: 2000, to: 8000 } as const;
const quietShare = 0.25;
const doubleShare = 0.3;
const calmShare = 0.4;
const calmMs = 15_000;
/** A spare node, for replicas that move. */
const nodeChoices = [3, 3, 4, 5] as const;

export function randomScenario({ minutes, seed }: RandomOptions): Scenario {
  const chance = createChance(seed);
  const nodes = chance.pick(nodeChoices);
  const families = drawFamilies(chance, nodes);
  const passMs = Math.min(minutes * msPerMinute, passMsMax);
  return scenarioSchema.parse({
    name: `random-${seed}`,
    title: `What seed ${seed} draws: ${families.join(', ')}`.slice(0, 100),
    cluster: { nodes, config: drawSettings(chance) },
    topics: [{ name: 'orders', partitions: chance.between(1, 4), replicas: 3 }],
    load: drawLoad(chance),
    steps: drawSteps(chance, families, passMs),
    repeats: Math.max(1, Math.round((minutes * msPerMinute) / passMs)),
    seed,
    expect: { selfEnding: true },
  });
}

function drawFamilies(chance: Chance, nodes: number): readonly DrawnFamily[] {
  const possible = drawnFamilies.filter((family) => family !== 'membership' || nodes > 3);
  const drawn = possible.filter(() => chance.share() < 0.5);
  const [one, other] = chance.shuffle(possible);
  return drawn.length > 0 || one === undefined || other === undefined ? drawn : [one, other];
}

/** Odd settings make rare paths common. */
function drawSettings(chance: Chance): Readonly<Record<string, number>> {
  return {
    ...(chance.share() < 0.3 ? { 'journal.cacheBytes': 1024 * 1024 } : {}),
    ...(chance.share() < 0.3 ? { 'journal.scrubPassMs': 2000 } : {}),
    ...(chance.share() < 0.3 ? { 'raft.appendBytesMax': 64 * 1024 } : {}),
    ...(chance.share() < 0.3 ? { 'maintenance.balanceStableMs': 1000 } : {}),
  };
}

function drawLoad(chance: Chance): Readonly<Record<string, unknown>> {
  return {
    producers: chance.between(1, 4),
    recordsPerSecond: chance.between(50, 300),
    recordBytes: chance.pick([
      [16, 64],
      [32, 512],
      [1024, 8192],
    ]),
    idempotent: chance.share() < 0.3 ? [true, false] : [true],
    lingerMs: chance.pick([0, 0, 5, 50]),
    consumers: chance.between(1, 3),
    topicChurn: chance.share() < 0.2,
  };
}

function drawSteps(chance: Chance, families: readonly DrawnFamily[], passMs: number): readonly Step[] {
  const steps: Step[] = [];
  let plannedMs = 0;
  while (plannedMs < passMs && steps.length < stepsMax) {
    const forMs = chance.between(periodMs.from, periodMs.to);
    plannedMs += forMs;
    if (chance.share() < quietShare) {
      steps.push({ wait: forMs });
      continue;
    }
    steps.push(drawPeriod(chance, families, forMs));
    if (chance.share() < calmShare) steps.push({ awaitCalm: calmMs });
  }
  // Something has struck in any case.
  return steps.some((step) => !('wait' in step)) ? steps : [...steps, drawPeriod(chance, families, periodMs.from)];
}

function drawPeriod(chance: Chance, families: readonly DrawnFamily[], forMs: number): Step {
  const [one, other] = chance.shuffle(families);
  if (one === undefined) throw new RangeError('at least one family is drawn');
  if (other === undefined || chance.share() >= doubleShare) return drawStrike(chance, one, 'any-role', forMs);
  return { together: [drawStrike(chance, one, 'leader', forMs), drawStrike(chance, other, 'follower', forMs)] };
}
