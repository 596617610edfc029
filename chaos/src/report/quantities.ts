/** Numbers for people. Pure. */
const nsPerMs = 1e6;
const msPerSecond = 1000;

export const count = (value: number): string => value.toLocaleString('en-US');
export const percent = (share: number): string => `${(share * 100).toFixed(share > 0 && share < 0.01 ? 2 : 1)} %`;

/** Three digits are enough for a time that was measured. */
export function milliseconds(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value >= 100) return `${count(Math.round(value))} ms`;
  return `${value.toPrecision(value < 1 ? 2 : 3)} ms`;
}

export const seconds = (ns: number): string => `${(ns / nsPerMs / msPerSecond).toFixed(2)} s`;
export const toSeconds = (ns: number): number => ns / nsPerMs / msPerSecond;
export const toMs = (ns: number): number => ns / nsPerMs;
