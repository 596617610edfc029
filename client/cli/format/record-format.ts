/**
 * The printf-like language of `balsa consume --format`.
 *
 *   %t topic  %p partition  %o offset  %k key  %v value  %T timestamp  %h headers  %% percent
 *   {hex} {base64} {json} after %k and %v; {iso} after %T      \n \t \r \0 \\ escapes
 *
 * A format is compiled once and then applied to every record. Keys and values are bytes and
 * leave unchanged unless a modifier asks for text; an absent key or value prints nothing
 * (`null` with {json}).
 */
import { usageError } from '../cli-error.ts';

export interface PrintableRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Unix time in milliseconds. */
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly { readonly key: string; readonly value: Uint8Array | null }[];
}

/** Bytes to print for one record. */
export type RecordFormat = (record: PrintableRecord) => Uint8Array;
type Part = (record: PrintableRecord) => Uint8Array;

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0', '\\': '\\' };
const empty = new Uint8Array(0);
const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const text = (value: Uint8Array | null): string | null => (value === null ? null : Buffer.from(value).toString('utf8'));

const encodings: Readonly<Record<string, (value: Uint8Array | null) => Uint8Array>> = {
  '': (value) => value ?? empty,
  hex: (value) => (value === null ? empty : bytes(Buffer.from(value).toString('hex'))),
  base64: (value) => (value === null ? empty : bytes(Buffer.from(value).toString('base64'))),
  json: (value) => bytes(JSON.stringify(text(value))),
};

const headersText = (record: PrintableRecord): string =>
  record.headers.map((header) => `${header.key}=${text(header.value) ?? ''}`).join(',');

const directives: Readonly<Record<string, Readonly<Record<string, Part>>>> = {
  '%': { '': () => bytes('%') },
  t: { '': (record) => bytes(record.topic) },
  p: { '': (record) => bytes(String(record.partition)) },
  o: { '': (record) => bytes(String(record.offset)) },
  h: { '': (record) => bytes(headersText(record)) },
  T: {
    '': (record) => bytes(String(record.timestamp)),
    iso: (record) => bytes(new Date(record.timestamp).toISOString()),
  },
  k: mapValues((encode) => (record) => encode(record.key)),
  v: mapValues((encode) => (record) => encode(record.value)),
};

function mapValues(toPart: (encode: (value: Uint8Array | null) => Uint8Array) => Part): Readonly<Record<string, Part>> {
  return Object.fromEntries(Object.entries(encodings).map(([name, encode]) => [name, toPart(encode)]));
}

/** Replaces \n, \t, \r, \0 and \\ by the characters they stand for. */
export function unescape(source: string): string {
  return source.replaceAll(/\\(.?)/gs, (whole, letter: string) => {
    const replacement = escapes[letter];
    if (replacement === undefined) throw usageError(`"${whole}" is no escape`, 'use \\n, \\t, \\r, \\0 or \\\\');
    return replacement;
  });
}

/** Throws a usage error that names the first unknown directive. */
export function compileRecordFormat(source: string): RecordFormat {
  const parts: Part[] = [];
  let literal = '';
  const flush = (): void => {
    const chunk = bytes(unescape(literal));
    if (chunk.length > 0) parts.push(() => chunk);
    literal = '';
  };
  for (const [token, directive, modifier] of source.matchAll(/%(.?)(?:\{([a-z0-9]*)\})?|[^%]+/gsu)) {
    if (directive === undefined) {
      literal += token;
      continue;
    }
    flush();
    parts.push(partOf(token, directive, modifier ?? ''));
  }
  flush();
  return (record) => Buffer.concat(parts.map((part) => part(record)));
}

function partOf(token: string, directive: string, modifier: string): Part {
  const variants = Object.hasOwn(directives, directive) ? directives[directive] : undefined;
  const part = variants !== undefined && Object.hasOwn(variants, modifier) ? variants[modifier] : undefined;
  if (part !== undefined) return part;
  throw usageError(
    `"${token}" in --format is not known`,
    'use %t %p %o %k %v %T %h %%, with {hex}, {base64} or {json} after %k and %v, and {iso} after %T',
  );
}

/** The shape of a record in `-o json` and `-o jsonl`. Bytes that are not UTF-8 appear as {"base64": ...}. */
export function recordJson(record: PrintableRecord): Record<string, unknown> {
  return {
    topic: record.topic,
    partition: record.partition,
    offset: record.offset,
    timestamp: record.timestamp,
    key: jsonBytes(record.key),
    value: jsonBytes(record.value),
    headers: record.headers.map((header) => ({ key: header.key, value: jsonBytes(header.value) })),
  };
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

function jsonBytes(value: Uint8Array | null): unknown {
  if (value === null) return null;
  try {
    return strictUtf8.decode(value);
  } catch {
    return { base64: Buffer.from(value).toString('base64') };
  }
}
