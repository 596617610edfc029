/**
 * What recovery does where the chain of batches ends, as a table: exactly one row
 * matches every combination of findings (test/unit/journal/recovery-table.test.ts
 * proves it). Recovery follows the chain from the oldest segment; it stops at the place
 * where batch n should be and no sound batch n is.
 *
 * Background: a batch that a crash tore was never acknowledged and may be cut. A batch
 * that was synced and is damaged now must never be cut: other nodes count on this one
 * to have it. One batch is under way at a time, so batch n was synced if the watermark
 * says so or a batch after n exists. If neither is known, damage is assumed.
 */
import { assert } from '../../core/assert.ts';

/** What is known at the place where the chain stops, before batch n. */
export interface ChainFindings {
  /** A segment begun by an earlier recovery says that its journal goes on with batch n: what is here is void. */
  readonly cutHere: boolean;
  /** The next segment begins with batch n, and n names the batch before by its checksum. */
  readonly continued: boolean;
  /** A sound header of batch n is here, but it names another batch than the one before it. */
  readonly otherHistory: boolean;
  /** The watermark proves that batch n was synced. */
  readonly belowWatermark: boolean;
  /** A sound header of a batch after n was found behind this place. */
  readonly laterBatch: boolean;
  /** This segment or a later one is missing, short, misnamed or unreadable, or a later one holds something but has no header. */
  readonly fileDamaged: boolean;
  /** Everything behind this place in the segment is zeros. */
  readonly blank: boolean;
  /** The watermark file could be read. */
  readonly watermarkKnown: boolean;
}

export type ChainAction =
  /** The chain goes on in the next segment. */
  | 'next-segment'
  /** The journal ends here. */
  | 'end'
  /** The journal ends here, and what is behind is cut: a new segment makes it void. */
  | 'cut'
  /** Keep everything, note what is lost, and go on behind the damage. */
  | 'damage'
  /** Change nothing and do not start. */
  | 'refuse';

export interface RecoveryCase {
  readonly label: string;
  readonly when: Partial<ChainFindings>;
  readonly action: ChainAction;
  readonly why: string;
}

const notContinued = { cutHere: false, continued: false, otherHistory: false } as const;
const notProven = { ...notContinued, belowWatermark: false, laterBatch: false } as const;

export const recoveryCases: readonly RecoveryCase[] = [
  {
    label: 'cut-earlier',
    when: { cutHere: true },
    action: 'next-segment',
    why: 'an earlier recovery cut or copied the tail; its segment was synced before it got its name',
  },
  {
    label: 'rolled',
    when: { cutHere: false, continued: true },
    action: 'next-segment',
    why: 'the batch did not fit here; the checksum chain proves that nothing is missing',
  },
  {
    label: 'other-history',
    when: { cutHere: false, continued: false, otherHistory: true },
    action: 'refuse',
    why: 'no crash writes this: of this batch and the one before, one is a copy from elsewhere, and nothing says which',
  },
  {
    label: 'damage-below-watermark',
    when: { ...notContinued, belowWatermark: true },
    action: 'damage',
    why: 'batch n was on disk',
  },
  {
    label: 'damage-followed',
    when: { ...notContinued, belowWatermark: false, laterBatch: true },
    action: 'damage',
    why: 'a later batch is written only after batch n was synced',
  },
  {
    label: 'damage-file',
    when: { ...notProven, fileDamaged: true },
    action: 'damage',
    why: 'a segment gets its name with its full size and header synced: no crash explains this',
  },
  {
    label: 'clean-end',
    when: { ...notProven, fileDamaged: false, blank: true },
    action: 'end',
    why: 'nothing was written behind the last batch',
  },
  {
    label: 'torn-tail',
    when: { ...notProven, fileDamaged: false, blank: false, watermarkKnown: true },
    action: 'cut',
    why: 'the last write was torn by a crash; it was never acknowledged',
  },
  {
    label: 'cannot-tell',
    when: { ...notProven, fileDamaged: false, blank: false, watermarkKnown: false },
    action: 'damage',
    why: 'without the watermark a torn tail looks like damage of acknowledged data',
  },
];

/** What is found in the journal's folder, before any segment is looked at. */
export interface FolderFindings {
  /** The watermark file could be read: it names the segments that must be there. */
  readonly watermarkKnown: boolean;
  /** There is a segment. */
  readonly anySegment: boolean;
  /** The first segment that a journal ever has is there. */
  readonly firstSegment: boolean;
  /** The data folder says that there was a journal. */
  readonly begun: boolean;
}

export interface FolderCase {
  readonly label: string;
  readonly when: Partial<FolderFindings>;
  readonly action: 'open' | 'begin' | 'refuse';
  readonly why: string;
}

export const folderCases: readonly FolderCase[] = [
  { label: 'folder-known', when: { watermarkKnown: true }, action: 'open', why: 'a segment that is missing will be missed' },
  {
    label: 'folder-new',
    when: { watermarkKnown: false, anySegment: false, begun: false },
    action: 'begin',
    why: 'no process has got as far as to write anything',
  },
  {
    label: 'journal-lost',
    when: { watermarkKnown: false, anySegment: false, begun: true },
    action: 'refuse',
    why: 'what was in it cannot be named: votes may be among it, and a new journal would give them again',
  },
  {
    label: 'from-the-first',
    when: { watermarkKnown: false, anySegment: true, firstSegment: true },
    action: 'open',
    why: 'nothing older was ever there',
  },
  {
    label: 'oldest-unknown',
    when: { watermarkKnown: false, anySegment: true, firstSegment: false },
    action: 'refuse',
    why: 'older segments are gone, and without the watermark nothing says that they were garbage',
  },
];

/** What is found of one segment's file. */
export interface SegmentFindings {
  readonly present: boolean;
  readonly readable: boolean;
  /** The header's checksum is right. */
  readonly headerSound: boolean;
  readonly versionKnown: boolean;
  /** The header names this data folder. */
  readonly own: boolean;
  /** The header's number is that of the file's name. */
  readonly numbered: boolean;
  /** The file has the size that its header says. */
  readonly complete: boolean;
}

export type SegmentAction =
  | 'use'
  /** Batches are still checked one by one; only the header is gone. */
  | 'use-content'
  /** What is there is used, and the rest counts as damage. */
  | 'damaged'
  | 'refuse-version'
  | 'refuse-foreign';

export interface SegmentCase {
  readonly label: string;
  readonly when: Partial<SegmentFindings>;
  readonly action: SegmentAction;
  readonly why: string;
}

const readable = { present: true, readable: true } as const;
const known = { ...readable, headerSound: true, versionKnown: true } as const;

export const segmentCases: readonly SegmentCase[] = [
  {
    label: 'segment-missing',
    when: { present: false },
    action: 'damaged',
    why: 'segments are numbered without gaps from the oldest needed one',
  },
  {
    label: 'segment-unreadable',
    when: { present: true, readable: false },
    action: 'damaged',
    why: 'the disk does not give the bytes back',
  },
  {
    label: 'header-bad',
    when: { ...readable, headerSound: false },
    action: 'use-content',
    why: 'batches carry their own checksums, bound to this journal and place',
  },
  {
    label: 'version-unknown',
    when: { ...readable, headerSound: true, versionKnown: false },
    action: 'refuse-version',
    why: 'written by a newer release',
  },
  { label: 'segment-foreign', when: { ...known, own: false }, action: 'refuse-foreign', why: 'belongs to another data folder' },
  {
    label: 'segment-misnamed',
    when: { ...known, own: true, numbered: false },
    action: 'damaged',
    why: 'a copy of another segment under this name; its frames do not check out at this place',
  },
  {
    label: 'segment-short',
    when: { ...known, own: true, numbered: true, complete: false },
    action: 'damaged',
    why: 'a segment has its full size before it gets its name',
  },
  { label: 'segment-sound', when: { ...known, own: true, numbered: true, complete: true }, action: 'use', why: 'as it should be' },
];

/** The only row whose conditions hold. */
export function matchCase<Findings extends object, Case extends { readonly label: string; readonly when: Partial<Findings> }>(
  cases: readonly Case[],
  findings: Findings,
): Case {
  const matches = cases.filter(({ when }) => Object.entries(when).every(([name, value]) => findings[name as keyof Findings] === value));
  const [match] = matches;
  assert(match !== undefined && matches.length === 1, 'exactly one recovery case matches', {
    findings,
    labels: matches.map((row) => row.label),
  });
  return match;
}
