/** One figure of every point of a study as bars, axis by axis; where there is a spread, from the least to the largest. */
import { axisLooks, type ChartOption } from './draw.ts';

export interface Bar {
  readonly name: string;
  /** Undefined: not measured there. */
  readonly value: number | undefined;
  /** A second value behind it, for example the 95th percentile. */
  readonly upTo?: number | undefined;
  readonly isBase: boolean;
}

export interface BarsData {
  readonly bars: readonly Bar[];
  readonly unit: string;
}

const barHeight = 24;
const around = 44;

export const barsHeight = (bars: number): number => bars * barHeight + around;

export function barsChart({ bars, unit }: BarsData): ChartOption {
  const look = { type: 'bar', silent: true, barWidth: 12, barGap: '-100%' } as const;
  return {
    grid: { left: 210, right: 40, top: 10, bottom: 30 },
    xAxis: { type: 'value', name: unit, min: 0, ...axisLooks },
    yAxis: {
      type: 'category',
      inverse: true,
      data: bars.map(({ name }) => name),
      ...axisLooks,
      splitLine: { show: false },
      axisTick: { show: false },
    },
    series: [
      { ...look, data: bars.map(({ upTo }) => upTo ?? null), itemStyle: { color: 'var(--c6)', opacity: 0.35 } },
      {
        ...look,
        data: bars.map(({ value, isBase }) => ({ value: value ?? null, itemStyle: { color: isBase ? 'var(--c7)' : 'var(--c1)' } })),
      },
    ],
  };
}
