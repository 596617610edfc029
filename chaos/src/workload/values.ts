/** Records of a workload: a value names itself, and is padded so that sizes vary. Pure. */
export interface NamedValue {
  readonly id: number;
  readonly bytes: Uint8Array;
}

const separator = 0x3a;
const zero = 0x30;

/** At least `sizeBytes` long; longer if its name is. */
export function makeValue(id: number, sizeBytes: number): NamedValue {
  const name = `${id}:`;
  return { id, bytes: new TextEncoder().encode(name.padEnd(sizeBytes, 'x')) };
}

/** Throws if the value has no name: it is none of the workload's. */
export function valueId(bytes: Uint8Array): number {
  let id = 0;
  for (const [at, byte] of bytes.entries()) {
    if (byte === separator && at > 0) return id;
    if (byte < zero || byte > zero + 9) break;
    id = id * 10 + (byte - zero);
  }
  throw new Error('a value without its name');
}

/** FNV-1a over everything that a reader gets. */
export function fingerprint(key: Uint8Array | null, value: Uint8Array, timestamp: number): number {
  let hash = 0x811c9dc5;
  const mix = (byte: number): void => {
    hash = Math.imul(hash ^ byte, 0x01000193);
  };
  if (key !== null) for (const byte of key) mix(byte);
  mix(key === null ? 1 : 2);
  for (const byte of value) mix(byte);
  for (let rest = timestamp; rest > 0; rest = Math.floor(rest / 256)) mix(rest % 256);
  return hash >>> 0;
}
