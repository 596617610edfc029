/**
 * Draws charts as SVG text with Apache ECharts, chosen because it is well kept and renders on
 * the server without a browser. A page then needs no script.
 *
 * Colours are CSS variables of style.ts, so one drawing serves light and dark. The same data give
 * the same text: ids that the library counts through a process are named after the chart.
 */
import { BarChart, CustomChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, MarkAreaComponent, MarkLineComponent } from 'echarts/components';
import { type EChartsCoreOption, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';

use([BarChart, CustomChart, LineChart, ScatterChart, GridComponent, MarkAreaComponent, MarkLineComponent, SVGRenderer]);

export const chartWidth = 1080;
/** For what a chart gives no colour of its own. */
const palette = ['var(--c1)', 'var(--c2)', 'var(--c3)', 'var(--c4)', 'var(--c5)', 'var(--c6)', 'var(--c7)'];

export type ChartOption = EChartsCoreOption;

/** `id`: letters and hyphens, unique in its page. */
export function drawChart(id: string, height: number, option: ChartOption): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: chartWidth, height });
  try {
    chart.setOption({
      animation: false,
      color: palette,
      textStyle: { fontFamily: 'system-ui, sans-serif', color: 'var(--text)' },
      ...option,
    });
    return plain(chart.renderToSVGString()).replaceAll(/zr\d+-/g, `${id}-`);
  } finally {
    chart.dispose();
  }
}

/** Without what the library adds for scripts in a browser: data about the data, and looks under a pointer. */
const plain = (svg: string): string => svg.replaceAll(/ (class|ecmeta_\w+)="[^"]*"/g, '').replaceAll(/<style >.*?<\/style>/gs, '');

export const axisLooks = {
  axisLine: { lineStyle: { color: 'var(--line)' } },
  axisTick: { lineStyle: { color: 'var(--line)' } },
  axisLabel: { color: 'var(--soft)' },
  nameTextStyle: { color: 'var(--soft)' },
  splitLine: { lineStyle: { color: 'var(--line)' } },
} as const;
