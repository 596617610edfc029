/** What a broker counts and measures about itself, read from `/metrics`. */
import type { ChaosNode } from '../cluster/chaos-node.ts';

const answerMsMax = 2_000;

/** Sums over all labels of a metric, by its name; empty if the broker does not answer. */
export type Metrics = ReadonlyMap<string, number>;

export async function readMetrics({ httpAddress }: Pick<ChaosNode, 'httpAddress'>): Promise<Metrics> {
  try {
    const response = await fetch(`http://${httpAddress}/metrics`, { signal: AbortSignal.timeout(answerMsMax) });
    return parseMetrics(await response.text());
  } catch {
    return new Map();
  }
}

/** Prometheus text: `name{labels} value`, comments begin with a hash. */
export function parseMetrics(text: string): Metrics {
  const sums = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^([a-zA-Z_:][\w:]*)(?:\{.*\})? (\S+)/.exec(line) ?? [];
    if (name === undefined) continue;
    const number = Number(value);
    if (!Number.isNaN(number)) sums.set(name, (sums.get(name) ?? 0) + number);
  }
  return sums;
}

/** Between two readings; undefined if one of them is missing. */
export function increase(before: Metrics, after: Metrics, name: string): number | undefined {
  const [from, to] = [before.get(name), after.get(name)];
  return from === undefined || to === undefined ? undefined : to - from;
}
