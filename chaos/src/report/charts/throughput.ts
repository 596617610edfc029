/** Acknowledged and read records per second over the run. */
import type { Span } from '../spans.ts';
import { axisLooks, type ChartOption } from './draw.ts';
import { faultAreas, leaderLines } from './marks.ts';

export interface ThroughputData {
  readonly acked: readonly (readonly [number, number])[];
  readonly read: readonly (readonly [number, number])[];
  readonly faults: readonly Span[];
  readonly leaderChanges: readonly number[];
  readonly endSeconds: number;
}

export const throughputHeight = 220;

export function throughputChart({ acked, read, faults, leaderChanges, endSeconds }: ThroughputData): ChartOption {
  const line = { type: 'line', showSymbol: false, silent: true, step: 'middle' } as const;
  return {
    grid: { left: 64, right: 16, top: 24, bottom: 28 },
    xAxis: { type: 'value', min: 0, max: endSeconds, name: 's', ...axisLooks, splitLine: { show: false } },
    yAxis: { type: 'value', name: 'records/s', ...axisLooks },
    series: [
      { ...line, data: read, lineStyle: { width: 1, color: 'var(--c3)' } },
      {
        ...line,
        data: acked,
        lineStyle: { width: 1.5, color: 'var(--c1)' },
        markArea: faultAreas(faults),
        markLine: leaderLines(leaderChanges),
      },
    ],
  };
}
