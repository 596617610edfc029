/** Rows of coloured stretches over the run: what each node did, who led each partition. */
import type { Lane } from '../spans.ts';
import { axisLooks, type ChartOption } from './draw.ts';

export interface LanesData<State> {
  readonly lanes: readonly Lane<State>[];
  /** A CSS variable of style.ts. */
  readonly colorOf: (state: State) => string;
  readonly endSeconds: number;
}

const laneHeight = 22;
const around = 34;

export const lanesHeight = (lanes: number): number => lanes * laneHeight + around;

interface Drawing {
  readonly value: (dimension: number) => number;
  readonly coord: (point: readonly number[]) => readonly number[];
}

/** ECharts' own type of this call needs parameters that are not used here. */
type RenderItem = (params: unknown, api: Drawing) => object;

export function lanesChart<State>({ lanes, colorOf, endSeconds }: LanesData<State>): ChartOption {
  const data = lanes.flatMap(({ spans }, lane) => spans.map(({ from, to, state }) => ({ value: [lane, from, to], color: colorOf(state) })));
  let next = 0;
  const renderItem: RenderItem = (_, api) => {
    const [lane, from, to] = [api.value(0), api.value(1), api.value(2)];
    const [x = 0, y = 0] = api.coord([from, lane]);
    const [end = 0] = api.coord([to, lane]);
    const fill = `var(${data[next++ % data.length]?.color ?? '--c7'})`;
    return {
      type: 'rect',
      shape: { x, y: y - laneHeight * 0.36, width: Math.max(1, end - x), height: laneHeight * 0.72 },
      style: { fill },
    };
  };
  return {
    grid: { left: 110, right: 16, top: 6, bottom: 24 },
    xAxis: { type: 'value', min: 0, max: endSeconds, ...axisLooks, splitLine: { show: false } },
    yAxis: {
      type: 'category',
      inverse: true,
      data: lanes.map(({ name }) => name.slice(0, nameCharsMax)),
      ...axisLooks,
      splitLine: { show: false },
    },
    series: [{ type: 'custom', silent: true, renderItem, data: data.map(({ value }) => value), encode: { x: [1, 2], y: 0 } }],
  };
}
const nameCharsMax = 16;
