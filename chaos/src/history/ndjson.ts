/**
 * Histories as text, one event per line, so that a run can be judged again later.
 *
 * Failure contract: `decodeEvent` rejects with `HistoryFormatError`, which names the line and
 * the field. Fields that it does not know are ignored: a newer recorder may add some.
 */
import type { HistoryEvent } from './event.ts';
import type { Shape } from './event-shape.ts';
import { shapeOf, stampShape } from './event-shape.ts';

export class HistoryFormatError extends Error {
  readonly line: number;

  constructor(line: number, what: string) {
    super(`Line ${line} of the history: ${what}.`);
    this.name = 'HistoryFormatError';
    this.line = line;
  }
}

/** Without a line break. */
export function encodeEvent(event: HistoryEvent): string {
  return JSON.stringify(event);
}

/** `line` counts from 1. */
export function decodeEvent(text: string, line: number): HistoryEvent {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new HistoryFormatError(line, 'it is not JSON');
  }
  if (!isObject(parsed)) throw new HistoryFormatError(line, 'it is not an object');
  checkFields(parsed, stampShape, line);
  const shape = shapeOf(parsed['type'], parsed['f']);
  if (shape === undefined)
    throw new HistoryFormatError(line, `there is no event of type ${String(parsed['type'])} of ${String(parsed['f'])}`);
  checkFields(parsed, shape, line);
  if (parsed['type'] === 'invoke' && parsed['source'] === 'replica' && parsed['node'] === undefined) {
    throw new HistoryFormatError(line, 'a read of a replica names no node');
  }
  return parsed as unknown as HistoryEvent;
}

/** Decodes lines; empty ones are left out. */
export function* decodeHistory(lines: Iterable<string>): Generator<HistoryEvent> {
  let line = 0;
  for (const text of lines) {
    line += 1;
    if (text.trim() !== '') yield decodeEvent(text, line);
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

function checkFields(event: Record<string, unknown>, shape: Shape, line: number): void {
  for (const [field, { required, accepts, wanted }] of Object.entries(shape)) {
    const value = event[field];
    if (value === undefined ? required : !accepts(value)) throw new HistoryFormatError(line, `${field} has to be ${wanted}`);
  }
}
