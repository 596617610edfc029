/**
 * Big-endian bytes for the codecs of the core, which has neither Buffer nor TextEncoder.
 *
 * 64-bit numbers are plain numbers here (offsets, ids and times stay below 2^53). A
 * reader of foreign bytes must check `Number.isSafeInteger`: larger values come out
 * rounded, and a rounded value is never a safe integer.
 *
 * Failure contract: writing a number that does not fit and reading past the end are
 * bugs of the caller and assert. Code that reads foreign bytes checks lengths first.
 */
import { assert } from '../assert.ts';

const twoTo32 = 0x1_0000_0000;

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Signed 64 bits at `at`; not a safe integer if it is beyond 2^53. */
export function readInt64(view: DataView, at: number): number {
  return view.getInt32(at) * twoTo32 + view.getUint32(at + 4);
}

export function writeInt64(view: DataView, at: number, value: number): void {
  assert(Number.isSafeInteger(value), 'a 64-bit field is a safe integer', { value });
  const high = Math.floor(value / twoTo32);
  view.setInt32(at, high);
  view.setUint32(at + 4, value - high * twoTo32);
}

/** Appends fields to a buffer that grows by doubling. */
export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(Math.max(capacity, 16));
    this.#view = viewOf(this.#bytes);
  }

  #reserve(size: number): number {
    const at = this.#length;
    this.#length += size;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = viewOf(grown);
    }
    return at;
  }

  uint8(value: number): void {
    assert(isBetween(value, 0, 0xff), 'the value fits 8 bits', { value });
    const at = this.#reserve(1);
    this.#view.setUint8(at, value);
  }

  int16(value: number): void {
    assert(isBetween(value, -0x8000, 0x7fff), 'the value fits 16 bits', { value });
    const at = this.#reserve(2);
    this.#view.setInt16(at, value);
  }

  int32(value: number): void {
    assert(isBetween(value, -0x8000_0000, 0x7fff_ffff), 'the value fits 32 bits', { value });
    const at = this.#reserve(4);
    this.#view.setInt32(at, value);
  }

  int64(value: number): void {
    const at = this.#reserve(8);
    writeInt64(this.#view, at, value);
  }

  bytes(value: Uint8Array): void {
    const at = this.#reserve(value.length);
    this.#bytes.set(value, at);
  }

  /** What was written; a view, so the writer must not be used afterwards. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

/** Reads fields in order. */
export class ByteReader {
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#view = viewOf(bytes);
  }

  get remaining(): number {
    return this.#view.byteLength - this.#at;
  }

  #take(size: number): number {
    assert(size <= this.remaining, 'a field lies within the bytes', { at: this.#at, size, length: this.#view.byteLength });
    const at = this.#at;
    this.#at += size;
    return at;
  }

  uint8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  int16(): number {
    return this.#view.getInt16(this.#take(2));
  }

  int32(): number {
    return this.#view.getInt32(this.#take(4));
  }

  int64(): number {
    const value = readInt64(this.#view, this.#take(8));
    assert(Number.isSafeInteger(value), 'a 64-bit field is a safe integer', { value });
    return value;
  }
}

function isBetween(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}
