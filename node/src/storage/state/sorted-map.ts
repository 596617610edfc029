/**
 * Map from byte strings to byte strings in bytewise order, for in-memory stores. Keys
 * are held as strings with one char per byte, whose built-in order is the bytewise one.
 */
export interface SortedMap {
  readonly get: (key: Uint8Array) => Uint8Array | undefined;
  readonly set: (key: Uint8Array, value: Uint8Array) => void;
  readonly delete: (key: Uint8Array) => void;
  /** Deletes from (inclusive) to (exclusive). */
  readonly deleteRange: (from: Uint8Array, to: Uint8Array) => void;
  /** Rows from (inclusive) to (exclusive), from the end if `reverse`, at most `limit`; fresh arrays. */
  readonly range: (from: Uint8Array, to: Uint8Array, reverse: boolean, limit: number) => (readonly [Uint8Array, Uint8Array])[];
  readonly copy: () => SortedMap;
}

export function createSortedMap(from?: { readonly keys: readonly string[]; readonly values: ReadonlyMap<string, Uint8Array> }): SortedMap {
  const keys: string[] = [...(from?.keys ?? [])];
  const values = new Map(from?.values);
  const span = (first: Uint8Array, end: Uint8Array): readonly [number, number] => {
    const start = lowerBound(keys, toText(first));
    return [start, Math.max(start, lowerBound(keys, toText(end)))];
  };
  return {
    get: (key) => values.get(toText(key)),
    set: (key, value) => {
      const text = toText(key);
      if (!values.has(text)) keys.splice(lowerBound(keys, text), 0, text);
      values.set(text, value);
    },
    delete: (key) => {
      const text = toText(key);
      if (values.delete(text)) keys.splice(lowerBound(keys, text), 1);
    },
    deleteRange: (first, end) => {
      const [start, stop] = span(first, end);
      for (const key of keys.splice(start, stop - start)) values.delete(key);
    },
    range: (first, end, reverse, limit) => {
      const [start, stop] = span(first, end);
      const found = reverse ? keys.slice(Math.max(start, stop - limit), stop).reverse() : keys.slice(start, Math.min(stop, start + limit));
      return found.map((key) => [toBytes(key), (values.get(key) ?? new Uint8Array()).slice()] as const);
    },
    copy: () => createSortedMap({ keys, values }),
  };
}

/** Index of the first key that is not below `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function toBytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}
