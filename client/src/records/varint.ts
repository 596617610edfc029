/**
 * Zigzag varints of record batches: a signed number n is stored as 2n (n >= 0) or
 * -2n-1 (n < 0), seven bits per byte, lowest first, the high bit of a byte set when
 * another byte follows.
 *
 * Numbers up to +-2^52 are supported (lengths, offset deltas, time deltas); the 32-bit
 * paths keep the common small values fast. A reader returns undefined for truncated or
 * larger numbers and never reads past `end`.
 */
const fastMax = 0x3fffffff;
const bytesMax = 8;

/** A place in bytes[position, end). */
export interface Cursor {
  readonly bytes: Uint8Array;
  readonly end: number;
  position: number;
}

export function varintSize(value: number): number {
  let zigzag = value >= 0 ? value * 2 : -value * 2 - 1;
  let size = 1;
  while (zigzag >= 0x80) {
    zigzag = Math.floor(zigzag / 0x80);
    size++;
  }
  return size;
}

/** Writes `value` at `position` and returns the position after it. */
export function writeVarint(target: Uint8Array, position: number, value: number): number {
  return value >= -fastMax && value <= fastMax ? writeSmall(target, position, value) : writeLarge(target, position, value);
}

function writeSmall(target: Uint8Array, position: number, value: number): number {
  let zigzag = (value << 1) ^ (value >> 31);
  let next = position;
  while (zigzag >= 0x80) {
    target[next++] = (zigzag & 0x7f) | 0x80;
    zigzag >>>= 7;
  }
  target[next++] = zigzag;
  return next;
}

function writeLarge(target: Uint8Array, position: number, value: number): number {
  let zigzag = value >= 0 ? value * 2 : -value * 2 - 1;
  let next = position;
  while (zigzag >= 0x80) {
    target[next++] = (zigzag % 0x80) | 0x80;
    zigzag = Math.floor(zigzag / 0x80);
  }
  target[next++] = zigzag;
  return next;
}

/** Reads a number and moves the cursor behind it; undefined if it is truncated or too large. */
export function readVarint(cursor: Cursor): number | undefined {
  const first = cursor.position < cursor.end ? cursor.bytes[cursor.position] : undefined;
  if (first !== undefined && first < 0x80) {
    cursor.position++;
    return (first >>> 1) ^ -(first & 1);
  }
  return readLong(cursor);
}

function readLong(cursor: Cursor): number | undefined {
  let zigzag = 0;
  let scale = 1;
  for (let count = 0; count < bytesMax && cursor.position < cursor.end; count++) {
    const byte = cursor.bytes[cursor.position++] ?? 0;
    zigzag += (byte & 0x7f) * scale;
    if (byte < 0x80) return zigzag <= Number.MAX_SAFE_INTEGER ? fromZigzag(zigzag) : undefined;
    scale *= 0x80;
  }
  return undefined;
}

function fromZigzag(zigzag: number): number {
  return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
}
