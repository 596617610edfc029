/** What every chart over time shows behind its data: when faults were on, and when leaders changed. */
import type { Span } from '../spans.ts';

const labelsMax = 12;
const leaderLinesMax = 60;

/** Times in seconds since the run began. */
export function faultAreas(faults: readonly Span[]): object {
  return {
    silent: true,
    itemStyle: { color: 'var(--fault-area)' },
    label: { show: faults.length <= labelsMax, color: 'var(--fault)', position: 'insideTopLeft', fontSize: 11, formatter: '{b}' },
    data: faults.map(({ from, to, label }) => [{ xAxis: from, name: label }, { xAxis: to }]),
  };
}

export function leaderLines(times: readonly number[]): object {
  return {
    silent: true,
    symbol: 'none',
    lineStyle: { color: 'var(--c4)', type: 'dotted', width: 1 },
    label: { show: false },
    data: times.slice(0, leaderLinesMax).map((time) => ({ xAxis: time })),
  };
}
