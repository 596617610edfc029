/**
 * Compression of the record section of a batch, by the codec numbers of the format.
 * Snappy (2) and LZ4 (3) are not in Node's standard library and are refused.
 */
import { constants, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { BalsaError } from '../errors.ts';
import { invalidBatch } from './batch-header.ts';

export type Compression = 'none' | 'gzip' | 'zstd';

/** Bound of one batch's records after decompression, against decompression bombs. */
export const decompressedBytesMax: number = 128 * 1024 * 1024;
const codecMask = 0x07;
const codecNumbers = { none: 0, gzip: 1, zstd: 4 } as const;
const names = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

/** Attribute bits of a codec. */
export function compressionBits(compression: Compression): number {
  return codecNumbers[compression];
}

export function compress(records: Uint8Array, compression: Exclude<Compression, 'none'>): Uint8Array {
  if (compression === 'gzip') return gzipSync(records, { level: constants.Z_BEST_SPEED });
  return zstdCompressSync(records);
}

/** The plain record section of a batch with these attributes. */
export function decompress(records: Uint8Array, attributes: number): Uint8Array {
  const codec = attributes & codecMask;
  if (codec === codecNumbers.none) return records;
  const options = { maxOutputLength: decompressedBytesMax };
  try {
    if (codec === codecNumbers.gzip) return gunzipSync(records, options);
    if (codec === codecNumbers.zstd) return zstdDecompressSync(records, options);
  } catch (cause) {
    throw new BalsaError('INVALID_BATCH', { detail: `The ${names[codec]} block of a record batch cannot be decompressed.`, cause });
  }
  throw invalidBatch(`compression ${names[codec] ?? codec} is not supported by this client`);
}
