/**
 * UTF-8 without TextEncoder, which the core does not have (RFC 3629).
 *
 * Decoding is strict: overlong forms, surrogates and values above U+10FFFF are refused,
 * so that a text has exactly one encoding. Encoding writes U+FFFD for a lone surrogate,
 * which has none; callers that need exactness check `isWellFormed` before.
 */
const replacement = 0xfffd;
/** Code units handed to String.fromCharCode at once: bounds its argument list. */
const chunkUnits = 4096;

export function encodeUtf8(text: string): Uint8Array {
  // A UTF-16 code unit takes at most 3 bytes; a pair takes 4, which is less than 2 * 3.
  const bytes = new Uint8Array(text.length * 3);
  let at = 0;
  for (let unit = 0; unit < text.length; unit++) {
    let point = text.codePointAt(unit) ?? replacement;
    if (point >= 0x10000) unit++;
    else if (point >= 0xd800 && point <= 0xdfff) point = replacement;
    at = writePoint(bytes, at, point);
  }
  return bytes.slice(0, at);
}

/** The text, or undefined if the bytes are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  let text = '';
  let units: number[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes[at] ?? 0);
    const point = length === 0 ? -1 : readPoint(bytes, at, length);
    if (point < 0) return undefined;
    at += length;
    if (point < 0x10000) units.push(point);
    else units.push(0xd800 + ((point - 0x10000) >> 10), 0xdc00 + ((point - 0x10000) & 0x3ff));
    if (units.length >= chunkUnits) {
      text += String.fromCharCode(...units);
      units = [];
    }
  }
  return text + String.fromCharCode(...units);
}

function writePoint(bytes: Uint8Array, at: number, point: number): number {
  if (point < 0x80) {
    bytes[at] = point;
    return at + 1;
  }
  if (point < 0x800) {
    bytes[at] = 0xc0 | (point >> 6);
    bytes[at + 1] = 0x80 | (point & 0x3f);
    return at + 2;
  }
  if (point < 0x10000) {
    bytes[at] = 0xe0 | (point >> 12);
    bytes[at + 1] = 0x80 | ((point >> 6) & 0x3f);
    bytes[at + 2] = 0x80 | (point & 0x3f);
    return at + 3;
  }
  bytes[at] = 0xf0 | (point >> 18);
  bytes[at + 1] = 0x80 | ((point >> 12) & 0x3f);
  bytes[at + 2] = 0x80 | ((point >> 6) & 0x3f);
  bytes[at + 3] = 0x80 | (point & 0x3f);
  return at + 4;
}

/** Bytes of the sequence that `first` starts; 0 if it cannot start one. */
function sequenceLength(first: number): 0 | 1 | 2 | 3 | 4 {
  if (first < 0x80) return 1;
  if (first < 0xc0) return 0;
  if (first < 0xe0) return 2;
  if (first < 0xf0) return 3;
  return first < 0xf8 ? 4 : 0;
}

/** Least code point that needs this many bytes: anything below is an overlong form. */
const pointMin = [0, 0, 0x80, 0x800, 0x10000] as const;
const firstByteMask = [0, 0x7f, 0x1f, 0x0f, 0x07] as const;

/** The code point of a sequence, or -1. */
function readPoint(bytes: Uint8Array, at: number, length: 1 | 2 | 3 | 4): number {
  let point = (bytes[at] ?? 0) & firstByteMask[length];
  for (let next = at + 1; next < at + length; next++) {
    const byte = bytes[next] ?? 0;
    if ((byte & 0xc0) !== 0x80) return -1;
    point = (point << 6) | (byte & 0x3f);
  }
  const isSurrogate = point >= 0xd800 && point <= 0xdfff;
  return point < pointMin[length] || point > 0x10ffff || isSurrogate ? -1 : point;
}
