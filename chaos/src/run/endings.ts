/** Ends of processes: which of them were to be expected, and which are findings. */
import { exitCodes } from '@balsa/node/assembly/exit-code.ts';
import type { Ending } from '../cluster/chaos-node.ts';
import type { ClusterFinding } from '../record/run-record.ts';

export interface Endings {
  /** From now on this node may end by itself; what is returned withdraws that. */
  readonly expect: (node: number) => () => void;
  /** Whether this end was asked for or expected; one that was not is a finding. */
  readonly note: (node: number, ending: Ending) => boolean;
  readonly findings: readonly ClusterFinding[];
}

export function createEndings(): Endings {
  const expected = new Map<number, number>();
  const change = (node: number, by: number): void => void expected.set(node, (expected.get(node) ?? 0) + by);
  const findings: ClusterFinding[] = [];
  return {
    expect: (node) => {
      let withdrawn = false;
      change(node, 1);
      return () => {
        if (!withdrawn) change(node, -1);
        withdrawn = true;
      };
    },
    note: (node, ending) => {
      const isExpected = ending.expected || ((expected.get(node) ?? 0) > 0 && !isBug(ending));
      if (!isExpected) findings.push({ node, what: `process ${ending.pid} ended by itself: ${describeEnding(ending)}` });
      return isExpected;
    },
    findings,
  };
}

/** No fault makes an impossible state possible. */
const isBug = ({ code }: Ending): boolean => code === exitCodes.INVARIANT.code;

function describeEnding({ code, signal }: Ending): string {
  if (code === null) return `by ${signal ?? 'an unknown signal'}`;
  const known = Object.entries(exitCodes).find(([, row]) => row.code === code);
  return known === undefined ? `exit code ${code}` : `exit code ${code}, ${known[0]}: ${known[1].meaning}`;
}
