/** The part of rocksdb-native 3 that this folder uses; the package ships no types. */
declare module 'rocksdb-native' {
  interface Options {
    readonly maxBackgroundJobs?: number;
    readonly maxOpenFiles?: number;
    readonly writeBufferSize?: number;
  }

  interface WriteBatch {
    tryPut(key: Uint8Array, value: Uint8Array): void;
    tryDelete(key: Uint8Array): void;
    tryDeleteRange(start: Uint8Array, end: Uint8Array): void;
    flush(): Promise<void>;
    destroy(): void;
  }

  interface IteratorRange {
    readonly gte: Uint8Array;
    readonly lt: Uint8Array;
    readonly reverse: boolean;
    readonly limit: number;
    /** Rows fetched per trip to the thread pool. */
    readonly capacity: number;
  }

  export default class RocksDB {
    constructor(path: string, options?: Options);
    ready(): Promise<void>;
    get(key: Uint8Array): Promise<Uint8Array | null>;
    iterator(range: IteratorRange): AsyncIterable<{ readonly key: Uint8Array; readonly value: Uint8Array }>;
    write(options: { readonly autoDestroy: boolean }): WriteBatch;
    flush(): Promise<void>;
    close(options?: { readonly force?: boolean }): Promise<void>;
  }
}
