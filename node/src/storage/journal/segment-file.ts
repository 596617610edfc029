/** Segment files as recovery finds them: header findings per file, and their bytes. */
import { DiskError } from '../../ports/disk.ts';
import type { JournalOptions } from './options.ts';
import { matchCase, segmentCases } from './recovery-table.ts';
import { imageOf, type SegmentImage } from './scan.ts';
import { decodeSegmentHeader, journalVersion, segmentHeaderBytes, segmentName, segmentSeed } from './segment.ts';
import { JournalRefused } from './vocabulary.ts';

export interface SegmentFile {
  readonly sequence: number;
  /** From its header; 0 if not known or none. */
  readonly firstBatch: number;
  /** Missing, unreadable, short or misnamed: what should be in it may be lost. */
  readonly damaged: boolean;
}

export async function inspectSegments(
  options: JournalOptions,
  sequences: readonly number[],
  report: (label: string, sequence: number, offset: number) => void,
): Promise<readonly SegmentFile[]> {
  const files: SegmentFile[] = [];
  for (const sequence of sequences) files.push(await inspect(options, sequence, report));
  return files;
}

async function inspect(
  options: JournalOptions,
  sequence: number,
  report: (label: string, sequence: number, offset: number) => void,
): Promise<SegmentFile> {
  const found = await readHead(options, sequence);
  const finding = decodeSegmentHeader(found?.head ?? new Uint8Array(0));
  const header = finding.kind === 'sound' ? finding.header : undefined;
  const row = matchCase(segmentCases, {
    present: found !== undefined,
    readable: found?.readable === true,
    headerSound: finding.kind !== 'bad',
    versionKnown: finding.kind !== 'version',
    own: header?.storeId === options.storeId,
    numbered: header?.sequence === sequence,
    complete: header?.bytes === found?.size,
  });
  if (row.label !== 'segment-sound') report(row.label, sequence, 0);
  const path = `${options.folder}/${segmentName(sequence)}`;
  if (row.action === 'refuse-version') {
    throw new JournalRefused('DATA_VERSION', `${path} was written by a newer release; this one reads up to version ${journalVersion}`);
  }
  if (row.action === 'refuse-foreign') {
    throw new JournalRefused('DATA_FOREIGN', `${path} belongs to data folder ${header?.storeId}, not to ${options.storeId}`);
  }
  return { sequence, firstBatch: row.action === 'use' ? (header?.firstBatch ?? 0) : 0, damaged: row.action === 'damaged' };
}

interface FoundFile {
  readonly head: Uint8Array;
  readonly size: number;
  readonly readable: boolean;
}

async function readHead(options: JournalOptions, sequence: number): Promise<FoundFile | undefined> {
  try {
    const file = await options.disk.openFile(`${options.folder}/${segmentName(sequence)}`, 'read');
    try {
      return { head: await file.read(0, segmentHeaderBytes), size: await file.size(), readable: true };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    return error.code === 'ENOENT' ? undefined : { head: new Uint8Array(0), size: 0, readable: false };
  }
}

/** The segment's bytes, or the first `bytesMax` of them; of a file that is missing or cannot be read, none. */
export async function loadImage(options: JournalOptions, file: SegmentFile, bytesMax = Number.POSITIVE_INFINITY): Promise<SegmentImage> {
  const seed = segmentSeed(options.storeId, file.sequence);
  return imageOf(file.sequence, seed, await readUpTo(options, file.sequence, bytesMax));
}

async function readUpTo(options: JournalOptions, sequence: number, bytesMax: number): Promise<Uint8Array> {
  try {
    const file = await options.disk.openFile(`${options.folder}/${segmentName(sequence)}`, 'read');
    try {
      return await file.read(0, Math.min(bytesMax, await file.size()));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    return new Uint8Array(0);
  }
}
