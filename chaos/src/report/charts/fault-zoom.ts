/** Every probe around one fault: when it was due, how long it took, and those without a good answer. */
import { axisLooks, type ChartOption } from './draw.ts';

export interface ZoomSeries {
  readonly color: string;
  /** Milliseconds since the fault began, latency in milliseconds. */
  readonly answered: readonly (readonly [number, number])[];
  readonly missed: readonly number[];
}

export interface ZoomData {
  readonly series: readonly ZoomSeries[];
  readonly fromMs: number;
  readonly toMs: number;
  /** The fault, in milliseconds since it began. */
  readonly endedMs: number;
  readonly leaderChangesMs: readonly number[];
  readonly deadlineMs: number;
}

export const zoomHeight = 240;

export function zoomChart({ series, fromMs, toMs, endedMs, leaderChangesMs, deadlineMs }: ZoomData): ChartOption {
  const dots = { type: 'scatter', silent: true } as const;
  return {
    grid: { left: 64, right: 16, top: 24, bottom: 28 },
    xAxis: { type: 'value', min: fromMs, max: toMs, name: 'ms', ...axisLooks, splitLine: { show: false } },
    yAxis: { type: 'log', name: 'ms', min: 0.5, max: deadlineMs * 2, ...axisLooks },
    series: [
      ...series.map(({ color, answered }) => ({
        ...dots,
        symbolSize: 4,
        itemStyle: { color: `var(${color})`, opacity: 0.75 },
        data: answered,
      })),
      ...series.map(({ missed }) => ({
        ...dots,
        symbol: 'rect',
        symbolSize: [2, 9],
        itemStyle: { color: 'var(--bad)' },
        data: missed.map((at) => [at, deadlineMs * 1.4]),
      })),
      {
        ...dots,
        data: [],
        markArea: { silent: true, itemStyle: { color: 'var(--fault-area)' }, data: [[{ xAxis: 0 }, { xAxis: Math.min(endedMs, toMs) }]] },
        markLine: {
          silent: true,
          symbol: 'none',
          lineStyle: { color: 'var(--c4)', type: 'dotted' },
          label: { show: true, formatter: 'leader', color: 'var(--c4)', fontSize: 11 },
          data: leaderChangesMs.map((at) => ({ xAxis: at })),
        },
      },
    ],
  };
}
