/**
 * Chance from one seed, in named streams that do not disturb each other: one more draw of
 * the network leaves the disks' luck as it was, so that a change in one place does not
 * turn every seed into another run.
 */
import type { Random } from '@balsa/node/ports/random.ts';

export interface Stream extends Random {
  /** A whole number from `min` to `max`, both inclusive. */
  readonly between: (min: number, max: number) => number;
  /** True in `perMille` of 1,000 cases. */
  readonly chance: (perMille: number) => boolean;
  readonly pick: <Item>(items: readonly Item[]) => Item;
  readonly shuffle: <Item>(items: readonly Item[]) => Item[];
}

export type Streams = (name: string) => Stream;

export function createStreams(seed: number): Streams {
  const streams = new Map<string, Stream>();
  return (name) => {
    const known = streams.get(name) ?? createStream(`${seed}/${name}`);
    streams.set(name, known);
    return known;
  };
}

/** sfc32, seeded by the text. */
export function createStream(text: string): Stream {
  const next = sfc32(hashes(text));
  const below = (exclusiveMax: number): number => Math.floor((next() / 2 ** 32) * exclusiveMax);
  const stream: Stream = {
    below,
    hex: (bytes) => Array.from({ length: bytes }, () => below(256).toString(16).padStart(2, '0')).join(''),
    between: (min, max) => min + below(max - min + 1),
    chance: (perMille) => below(1000) < perMille,
    pick: (items) => {
      if (items.length === 0) throw new Error('nothing to pick from');
      return items[below(items.length)] as (typeof items)[number];
    },
    shuffle: (items) =>
      items
        .map((item) => ({ item, key: next() }))
        .sort((one, other) => one.key - other.key)
        .map(({ item }) => item),
  };
  return stream;
}

/** Four words from a text (FNV-1a with four bases). */
function hashes(text: string): [number, number, number, number] {
  const hash = (base: number): number => {
    let value = base;
    for (const character of text) value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 0x01000193);
    return value >>> 0;
  };
  return [hash(0x811c9dc5), hash(0x9747b28c), hash(0x5bd1e995), hash(0x27d4eb2f)];
}

function sfc32([first, second, third, counter]: [number, number, number, number]): () => number {
  let [a, b, c, d] = [first, second, third, counter | 1];
  const next = (): number => {
    const sum = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return sum >>> 0;
  };
  const warmUp = 12;
  for (let round = 0; round < warmUp; round++) next();
  return next;
}
