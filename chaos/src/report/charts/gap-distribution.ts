/** How the longest gaps of all repeats are spread: for each length the share of repeats that were no worse. */
import { axisLooks, type ChartOption } from './draw.ts';

export interface GapLine {
  readonly color: string;
  /** Milliseconds; any order. */
  readonly gapsMs: readonly number[];
}

export const gapHeight = 220;

export function gapDistributionChart(lines: readonly GapLine[]): ChartOption {
  const steps = (gapsMs: readonly number[]): readonly (readonly [number, number])[] => {
    const sorted = gapsMs.toSorted((a, b) => a - b);
    return [[0, 0], ...sorted.map((gap, i): readonly [number, number] => [gap, ((i + 1) / sorted.length) * 100])];
  };
  return {
    grid: { left: 64, right: 24, top: 24, bottom: 32 },
    xAxis: { type: 'value', min: 0, name: 'ms', ...axisLooks },
    yAxis: { type: 'value', min: 0, max: 100, name: '% of repeats', ...axisLooks },
    series: lines.map(({ color, gapsMs }) => ({
      type: 'line',
      step: 'end',
      showSymbol: gapsMs.length <= symbolsMax,
      symbolSize: 5,
      silent: true,
      itemStyle: { color: `var(${color})` },
      lineStyle: { width: 1.5, color: `var(${color})` },
      data: steps(gapsMs),
    })),
  };
}
const symbolsMax = 40;
