/**
 * Where `balsa consume --from` starts: `earliest`, `latest`, an offset, or a point in time
 * (ISO 8601, or `-15m` for fifteen minutes ago).
 */
import { usageError } from '../cli-error.ts';
import { parseDurationMs } from './quantity.ts';

export type StartPosition =
  | { readonly kind: 'earliest' }
  | { readonly kind: 'latest' }
  /** First record wanted (inclusive), the same number in every partition that is read. */
  | { readonly kind: 'offset'; readonly offset: number }
  /** Records at or after this Unix time. */
  | { readonly kind: 'time'; readonly timeMs: number };

export function parseStartPosition(text: string, nowMs: number): StartPosition {
  if (text === 'earliest' || text === 'latest') return { kind: text };
  if (/^\d+$/.test(text)) {
    const offset = Number(text);
    if (Number.isSafeInteger(offset)) return { kind: 'offset', offset };
  }
  const ago = text.startsWith('-') ? parseDurationMs(text.slice(1)) : undefined;
  if (ago !== undefined) return { kind: 'time', timeMs: Math.max(0, nowMs - ago) };
  // Date.parse accepts much more than ISO dates ("1 pm", "x1"); only the unambiguous form is taken.
  const timeMs = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(timeMs)) return { kind: 'time', timeMs };
  throw usageError(
    `--from is "${text}", which is no position`,
    'write earliest, latest, an offset (42), a time (2026-05-01T12:00:00Z) or how long ago (-15m)',
  );
}
