/**
 * CRC32C (Castagnoli) behind one name, so that the implementation can be changed in one
 * place. A call into the native function costs as much as some hundred bytes of work:
 * heads of frames and batches are done here.
 */
import { crc32c } from '@node-rs/crc32';

/** CRC32C of `bytes`, continuing from `seed` (a previous checksum, or any start value). */
export function checksum(bytes: Uint8Array, seed = 0): number {
  return crc32c(bytes, seed) >>> 0;
}

const reversedPolynomial = 0x82f63b78;
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ reversedPolynomial;
  return value;
});

/** The same for the few bytes [from, to) of a head. */
export function checksumOfHead(bytes: Uint8Array, from: number, to: number, seed: number): number {
  let value = ~seed;
  for (let at = from; at < to; at++) value = (table[(value ^ (bytes[at] ?? 0)) & 0xff] ?? 0) ^ (value >>> 8);
  return ~value >>> 0;
}
