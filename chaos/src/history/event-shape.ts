/** The fields of every event, as a table: what a line of a history has to look like (event.ts). */

export interface Field {
  readonly required: boolean;
  readonly accepts: (value: unknown) => boolean;
  /** For "has to be ...". */
  readonly wanted: string;
}
export type Shape = Readonly<Record<string, Field>>;

const required = (accepts: Field['accepts'], wanted: string): Field => ({ required: true, accepts, wanted });
const optional = (field: Field): Field => ({ ...field, required: false });

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isOneOf =
  (...words: readonly string[]) =>
  (value: unknown): boolean =>
    typeof value === 'string' && words.includes(value);
const isListOf =
  (accepts: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    Array.isArray(value) && value.every(accepts);
const isRecordOf =
  (shape: Shape) =>
  (value: unknown): boolean =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries(shape).every(([name, field]) => {
      const part = (value as Record<string, unknown>)[name];
      return part === undefined ? !field.required : field.accepts(part);
    });

const count = required(isCount, 'an integer from 0 on');
const text = required((value) => typeof value === 'string' && value !== '', 'a text');
const flag = required((value) => typeof value === 'boolean', 'true or false');
const source = optional(required(isOneOf('client', 'drain', 'replica'), "'client', 'drain' or 'replica'"));
const sentRecords = required(isListOf(isRecordOf({ id: count, fingerprint: optional(count) })), 'a list of {id, fingerprint?}');
const readRecords = required(
  isListOf(isRecordOf({ offset: count, id: count, fingerprint: optional(count) })),
  'a list of {offset, id, fingerprint?}',
);
const described = required(isListOf(isRecordOf({ name: text, incarnation: text })), 'a list of {name, incarnation}');
const offsets = optional(
  required(
    isListOf((value) => value === null || isCount(value)),
    'a list of offsets or null',
  ),
);
const names = optional(required(isListOf(text.accepts), 'a list of texts'));
const batches = optional(required(isListOf(isCount), 'a list of sizes'));

export const stampShape: Shape = { op: count, tNs: count, process: text, node: optional(count), type: text, f: text };

const place: Shape = { topic: text, partition: count };
const sendFacts: Shape = { batches, attempts: optional(count) };
const notOk: Shape = { ...sendFacts, error: optional(text) };

const shapes: Readonly<Record<string, { readonly invoke: Shape; readonly ok: Shape }>> = {
  send: {
    invoke: {
      ...place,
      session: text,
      acks: required(isOneOf('quorum', 'leader', 'none'), "'quorum', 'leader' or 'none'"),
      idempotent: flag,
      records: sentRecords,
    },
    ok: { ...sendFacts, offsets, incarnation: optional(text) },
  },
  poll: { invoke: { ...place, source }, ok: { records: readRecords, highWatermark: optional(count), logStart: optional(count) } },
  assign: { invoke: { ...place, offset: count }, ok: {} },
  seek: { invoke: { ...place, offset: count }, ok: {} },
  'end-offset': { invoke: { ...place, source }, ok: { offset: count } },
  'start-offset': { invoke: { ...place, source }, ok: { offset: count } },
  'create-topic': { invoke: { topic: text, retention: optional(flag) }, ok: { incarnation: text } },
  'delete-topic': { invoke: { topic: text }, ok: {} },
  'describe-topics': { invoke: { linearizable: optional(flag), topics: names }, ok: { topics: described } },
};

/** The fields that an event of this type has besides its stamp; undefined if there is no such event. */
export function shapeOf(type: unknown, f: unknown): Shape | undefined {
  const shape = typeof f === 'string' && Object.hasOwn(shapes, f) ? shapes[f] : undefined;
  if (shape === undefined) return undefined;
  if (type === 'invoke') return shape.invoke;
  if (type === 'ok') return shape.ok;
  return type === 'fail' || type === 'info' ? notOk : undefined;
}
