/** Figures of a set of measurements, as one line. */
import { distributionOf } from '../availability/distribution.ts';

export function summarise(gapsMs: readonly number[]): string {
  const spread = distributionOf(gapsMs);
  if (spread === undefined) return 'longest gap in acks: nothing was measured';
  const { n, ...values } = spread;
  const shown = Object.entries(values).map(([name, ms]) => `${name} ${ms.toFixed(0)} ms`);
  return `longest gap in acks: n ${n}, ${shown.join(', ')}`;
}
