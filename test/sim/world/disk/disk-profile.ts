/** How fast and how faulty a simulated disk is; a run may change it at any time. */
export interface DiskProfile {
  /** Latencies are drawn between both bounds, inclusive, in steps of a microsecond. */
  readMsMin: number;
  readMsMax: number;
  /** Of writes, size changes, renames and removals. */
  writeMsMin: number;
  writeMsMax: number;
  syncMsMin: number;
  syncMsMax: number;
  /** Chance per operation that the whole disk stands still for `stallMs` before it. */
  stallPerMille: number;
  stallMs: number;
  readErrorPerMillion: number;
  writeErrorPerMillion: number;
  /** Of files and folders. What was to be synced is taken for clean and never reaches the disk. */
  syncErrorPerMillion: number;
  /** Chance that a write meets lack of space although there is some, as on a copy-on-write disk. */
  noSpacePerMillion: number;
  /** Bytes of all files together. */
  capacityBytes: number;
  /** A write that fails has written a part. */
  shortWrites: boolean;
  /** Chance per sync that one of its pages lands elsewhere in the file, and not where it should. */
  misdirectedPerMillion: number;
}

/** A disk without faults whose operations take no time. */
export const calmProfile = (): DiskProfile => ({
  readMsMin: 0,
  readMsMax: 0,
  writeMsMin: 0,
  writeMsMax: 0,
  syncMsMin: 0,
  syncMsMax: 0,
  stallPerMille: 0,
  stallMs: 0,
  readErrorPerMillion: 0,
  writeErrorPerMillion: 0,
  syncErrorPerMillion: 0,
  noSpacePerMillion: 0,
  capacityBytes: Number.POSITIVE_INFINITY,
  shortWrites: false,
  misdirectedPerMillion: 0,
});
