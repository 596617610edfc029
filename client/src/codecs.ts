/**
 * How keys and values become bytes. A codec takes `In` from a producer and gives `Out`
 * to a consumer; the two differ only for schemas that transform.
 *
 * Failure contract: what does not fit is INVALID_RECORD, on either side, and is never retried.
 */
import { BalsaError } from './errors.ts';
import type { StandardIssue, StandardSchema } from './standard-schema.ts';

export interface Codec<In, Out = In> {
  readonly contentType: string;
  readonly encode: (value: In) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => Out;
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Bytes as they are. A consumer gets a view into the received batch: copy it to keep it long. */
export const bytes: Codec<Uint8Array> = {
  contentType: 'application/octet-stream',
  encode: (value) => value,
  decode: (value) => value,
};

/** UTF-8 text. */
export const text: Codec<string> = {
  contentType: 'text/plain; charset=utf-8',
  encode: (value) => Buffer.from(value),
  decode: decodeText,
};

/** JSON, checked by a Standard Schema if one is given (zod, valibot, arktype ...). */
export function json<T = unknown>(): Codec<T>;
export function json<In, Out>(schema: StandardSchema<In, Out>): Codec<In, Out>;
export function json(schema?: StandardSchema): Codec<unknown> {
  const check = schema === undefined ? (value: unknown) => value : (value: unknown) => validate(schema, value);
  return {
    contentType: 'application/json',
    // The value itself is stored, not the schema's output, so that reading can validate it again.
    encode: (value) => {
      check(value);
      return encodeJson(value);
    },
    decode: (stored) => check(parseJson(decodeText(stored))),
  };
}

function decodeText(stored: Uint8Array): string {
  try {
    return decoder.decode(stored);
  } catch (cause) {
    throw invalidRecord('the bytes are not UTF-8 text', cause);
  }
}

function encodeJson(value: unknown): Uint8Array {
  let encoded: string | undefined;
  try {
    encoded = JSON.stringify(value);
  } catch (cause) {
    throw invalidRecord('it cannot be written as JSON', cause);
  }
  if (encoded === undefined) throw invalidRecord(`${typeof value} has no JSON form`);
  return Buffer.from(encoded);
}

function parseJson(stored: string): unknown {
  try {
    return JSON.parse(stored);
  } catch (cause) {
    throw invalidRecord('it is not JSON', cause);
  }
}

function validate(schema: StandardSchema, value: unknown): unknown {
  const result = schema['~standard'].validate(value);
  if (result instanceof Promise) throw invalidRecord('its schema validates asynchronously, which codecs do not support');
  if (result.issues === undefined) return result.value;
  throw invalidRecord(result.issues.map(describeIssue).join('; '));
}

function describeIssue(issue: StandardIssue): string {
  const path = (issue.path ?? []).map((step) => String(typeof step === 'object' ? step.key : step)).join('.');
  return path === '' ? issue.message : `${path}: ${issue.message}`;
}

function invalidRecord(why: string, cause?: unknown): BalsaError {
  return new BalsaError('INVALID_RECORD', { detail: `The record does not fit its codec: ${why}.`, cause });
}
