/**
 * The whole fault matrix: every fault at every kind of target, one short scenario per cell.
 * Cells that make no sense are listed with the reason; none is left out in silence. Pure.
 */
import { catalogue } from '../nemesis/catalogue.ts';
import type { Need } from '../nemesis/fault.ts';
import { type MatrixRow, matrixRows, type MatrixTarget, matrixTargets, needOf } from './matrix-rows.ts';
import { type Scenario, scenarioSchema } from './scenario.ts';

export interface MatrixCell {
  readonly row: string;
  readonly target: MatrixTarget;
  /** Undefined: it makes no sense. */
  readonly scenario: Scenario | undefined;
  /** Why there is none. */
  readonly skipped: string | undefined;
  readonly needs: readonly Need[];
}

const strikeMs = 2500;

/** By rows, then targets. `seed` makes all cells differ from those of another seed where chance has a say. */
export function matrix(seed = 1): readonly MatrixCell[] {
  return matrixRows.flatMap((row) =>
    matrixTargets.map((target): MatrixCell => {
      const skipped = row.skip(target);
      const scenario = skipped === undefined ? cellScenario(row, target, seed) : undefined;
      return { row: row.name, target, scenario, skipped, needs: needOf(row) };
    }),
  );
}

/** Few nodes where one is struck; where a minority shall be more than one, five. */
const nodesFor = ({ fault }: MatrixRow, target: MatrixTarget): number => {
  if (catalogue.get(fault)?.needs.includes('spare-node') === true) return 4;
  return target === 'minority' || target === 'majority' ? 5 : 3;
};

function cellScenario(row: MatrixRow, target: MatrixTarget, seed: number): Scenario {
  const nodes = nodesFor(row, target);
  return scenarioSchema.parse({
    name: `matrix-${row.name}-${target}`,
    title: `${row.name} at ${target}`,
    cluster: { nodes, config: row.config ?? {} },
    topics: [{ name: 'orders', partitions: nodes, replicas: nodes === 4 ? 3 : nodes }],
    load: { recordsPerSecond: 150, probes: { periodMs: 50, kinds: ['write'] }, ...row.load },
    warmupMs: 1000,
    calmMs: 300,
    steps: [{ strike: row.fault, target: row.targetOf?.(target) ?? target, with: row.with ?? {}, forMs: row.forMs ?? strikeMs }],
    seed,
    expect: { selfEnding: true, unknownShareMax: 0.9, ackedMin: 50 },
  });
}
