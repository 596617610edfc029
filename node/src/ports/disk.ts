/**
 * The file system as the journal needs it.
 *
 * Contract
 *  - A write is durable only after `datasync` of its file resolved. Before that a
 *    crash may keep any part of it (torn at sector edges), in any order.
 *  - A new or renamed file is durable only after `syncFolder` of its folder.
 *  - After a rejected `datasync` nothing is known about what is on disk, and a
 *    later success proves nothing (the kernel marks the pages clean): the caller
 *    must stop using the file.
 *  - Errors are DiskError with the operating system's code. A write rejected with
 *    ENOSPC may have written a part.
 */
export interface Disk {
  readonly openFile: (path: string, mode: OpenMode) => Promise<DiskFile>;
  /** Names (not paths) in `folder`, sorted; rejects with ENOENT if it does not exist. */
  readonly list: (folder: string) => Promise<readonly string[]>;
  readonly exists: (path: string) => Promise<boolean>;
  /** Creates `folder` and its parents. */
  readonly makeFolder: (folder: string) => Promise<void>;
  readonly rename: (from: string, to: string) => Promise<void>;
  readonly remove: (path: string) => Promise<void>;
  readonly syncFolder: (folder: string) => Promise<void>;
  /** Bytes free for this process on the disk that holds `path`. */
  readonly freeBytes: (path: string) => Promise<number>;
  /** Takes an exclusive lock on `path`, which ends with the process; rejects with ELOCKED if it is held. */
  readonly lock: (path: string) => Promise<{ readonly release: () => Promise<void> }>;
}

/** `create` fails if the file exists; `write` and `read` fail if it does not. */
export type OpenMode = 'create' | 'write' | 'read';

export interface DiskFile {
  readonly size: () => Promise<number>;
  /** Reads up to `length` bytes at `position`; shorter only at the end of the file. */
  readonly read: (position: number, length: number) => Promise<Uint8Array>;
  /** Writes all parts one after the other from `position`. */
  readonly write: (position: number, parts: readonly Uint8Array[]) => Promise<void>;
  /** Reserves disk space so that later writes up to `bytes` cannot fail for want of it; the file's size becomes `bytes`. */
  readonly preallocate: (bytes: number) => Promise<void>;
  readonly truncate: (bytes: number) => Promise<void>;
  readonly datasync: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export class DiskError extends Error {
  override readonly name: string = 'DiskError';
  /** errno name: ENOSPC, EIO, ENOENT, EEXIST, ELOCKED, ... */
  readonly code: string;

  constructor(code: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
