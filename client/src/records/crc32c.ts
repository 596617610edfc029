/**
 * CRC32C (Castagnoli), the checksum of record batches, in plain JavaScript so that the
 * client has no native dependency. Slicing-by-8: eight table look-ups per eight bytes,
 * about 1 GB/s. `zlib.crc32` cannot be used: it computes another polynomial.
 */
const castagnoliReflected = 0x82f63b78;

function buildTables(): Int32Array[] {
  const first = new Int32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ castagnoliReflected : crc >>> 1;
    first[byte] = crc;
  }
  const tables = [first];
  let previous = first;
  for (let slice = 1; slice < 8; slice++) {
    const next = previous.map((crc) => (crc >>> 8) ^ at(first, crc & 0xff));
    tables.push(next);
    previous = next;
  }
  return tables;
}

function at(table: Int32Array, index: number): number {
  return table[index] ?? 0;
}

const none = new Int32Array(256);
const [t0 = none, t1 = none, t2 = none, t3 = none, t4 = none, t5 = none, t6 = none, t7 = none] = buildTables();

/** Checksum of bytes[start, end), as an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let crc = -1;
  let position = start;
  for (; position + 8 <= end; position += 8) {
    const low = crc ^ view.getInt32(position, true);
    const high = view.getInt32(position + 4, true);
    crc =
      at(t7, low & 0xff) ^
      at(t6, (low >>> 8) & 0xff) ^
      at(t5, (low >>> 16) & 0xff) ^
      at(t4, low >>> 24) ^
      at(t3, high & 0xff) ^
      at(t2, (high >>> 8) & 0xff) ^
      at(t1, (high >>> 16) & 0xff) ^
      at(t0, high >>> 24);
  }
  for (; position < end; position++) crc = (crc >>> 8) ^ at(t0, (crc ^ view.getUint8(position)) & 0xff);
  return ~crc >>> 0;
}
