/** Latency of the probes over the run, from when they were due, on a logarithmic scale. */
import type { Span } from '../spans.ts';
import { axisLooks, type ChartOption } from './draw.ts';
import { faultAreas, leaderLines } from './marks.ts';

export interface LatencyLine {
  /** A CSS variable of style.ts. */
  readonly color: string;
  readonly width: number;
  /** Seconds, milliseconds; null: none. */
  readonly points: readonly (readonly [number, number | null])[];
}

export interface LatencyData {
  readonly lines: readonly LatencyLine[];
  /** Times at which probes were due that got no good answer. */
  readonly missed: readonly number[];
  readonly deadlineMs: number;
  readonly faults: readonly Span[];
  readonly leaderChanges: readonly number[];
  readonly endSeconds: number;
}

export const latencyHeight = 240;

export function latencyChart({ lines, missed, deadlineMs, faults, leaderChanges, endSeconds }: LatencyData): ChartOption {
  return {
    grid: { left: 64, right: 16, top: 24, bottom: 28 },
    xAxis: { type: 'value', min: 0, max: endSeconds, name: 's', ...axisLooks, splitLine: { show: false } },
    yAxis: { type: 'log', name: 'ms', min: 0.5, max: deadlineMs * 2, ...axisLooks },
    series: [
      ...lines.map(({ color, width, points }) => ({
        type: 'line',
        showSymbol: false,
        silent: true,
        connectNulls: false,
        data: points,
        lineStyle: { width, color: `var(${color})` },
      })),
      {
        type: 'scatter',
        silent: true,
        symbol: 'rect',
        symbolSize: [2, 7],
        itemStyle: { color: 'var(--bad)' },
        data: missed.map((at) => [at, deadlineMs * 1.4]),
        markArea: faultAreas(faults),
        markLine: leaderLines(leaderChanges),
      },
    ],
  };
}
