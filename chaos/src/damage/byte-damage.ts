/** Damage within one file: what disks, controllers and file systems do to bytes. Aimed at what is used of it. */
import { closeSync, openSync, readFileSync, readSync, statSync, truncateSync, writeSync } from 'node:fs';
import { type Chance, type Damage, type DamageKind, NothingToDamage, pick } from './damage.ts';
import { usedBytesOf } from './segments.ts';

const pageBytes = 4096;
const tailBytesMax = 4096;
/** How much of a changed region the proof shows. */
const shownBytesMax = 16;

export function flipBit(file: string, random: Chance): Damage {
  return flipBitAt(file, random.below(usedOf(file).length), random);
}

/** Of the byte at `position` one bit. */
export function flipBitAt(file: string, position: number, random: Chance): Damage {
  const mask = 1 << random.below(8);
  return overwritten('bit-flip', file, position, (bytes) => Buffer.from([(bytes[0] ?? 0) ^ mask]), 1);
}

/** A page that holds something. */
export function zeroPage(file: string, random: Chance): Damage {
  const used = usedOf(file);
  const pages = Array.from({ length: Math.ceil(used.length / pageBytes) }, (_, page) => page * pageBytes);
  const full = pages.filter((at) => used.subarray(at, at + pageBytes).some((byte) => byte !== 0));
  return overwritten('zero-page', file, pick(random, full, `nothing in ${file}`), (bytes) => Buffer.alloc(bytes.length), pageBytes);
}

/** The file ends within its last written bytes. */
export function truncateTail(file: string, random: Chance): Damage {
  const { length } = usedOf(file);
  return truncated('truncated-tail', file, length - 1 - random.below(Math.min(tailBytesMax, length)));
}

/** The file ends in the middle half of what was written. */
export function truncateMiddle(file: string, random: Chance): Damage {
  const { length } = usedOf(file);
  return truncated('truncated-middle', file, Math.floor(length / 4) + random.below(Math.ceil(length / 2)));
}

function usedOf(file: string): Buffer {
  const bytes = readFileSync(file);
  const used = bytes.subarray(0, usedBytesOf(bytes));
  if (used.length === 0) throw new NothingToDamage(`${file} holds nothing but zeros`);
  return used;
}

function truncated(kind: DamageKind, file: string, position: number): Damage {
  const before = statSync(file).size;
  truncateSync(file, position);
  return { kind, path: file, position, before: `${before} bytes`, after: `${statSync(file).size} bytes` };
}

function overwritten(kind: DamageKind, file: string, position: number, change: (before: Buffer) => Buffer, bytesMax: number): Damage {
  const descriptor = openSync(file, 'r+');
  try {
    const before = readAt(descriptor, position, bytesMax);
    const wanted = change(before);
    const first = before.findIndex((byte, i) => byte !== wanted[i]);
    if (first === -1) throw new NothingToDamage(`${file} already has at ${position} what it was to be given`);
    writeSync(descriptor, wanted, 0, wanted.length, position);
    const shown = (bytes: Buffer): string => bytes.subarray(first, first + shownBytesMax).toString('hex');
    const after = readAt(descriptor, position, bytesMax);
    return { kind, path: file, position: position + first, before: shown(before), after: shown(after) };
  } finally {
    closeSync(descriptor);
  }
}

function readAt(descriptor: number, position: number, bytesMax: number): Buffer {
  const bytes = Buffer.alloc(bytesMax);
  return bytes.subarray(0, readSync(descriptor, bytes, 0, bytesMax, position));
}
