/**
 * Recovery: reads all segments, follows the chain of batches (recovery-table.ts says what
 * to do where it stops) and leaves a journal whose every byte before the end is proven.
 *
 * It always begins a new segment: with a cut tail, that segment's header is the cut;
 * with a last batch that nothing proves to be synced, the batch is copied into it,
 * because after a failed fsync the pages that are read here may never reach the disk.
 * So nothing is used that was not synced by this process or proven by an earlier one.
 */
import { assert } from '../../core/assert.ts';
import { DiskError, type DiskFile } from '../../ports/disk.ts';
import { batchHeaderBytes, encodeBatch, type Watermark } from './batch.ts';
import type { GroupLog, LiveCounts } from './group-log.ts';
import type { JournalOptions } from './options.ts';
import { type ChainFindings, folderCases, matchCase, recoveryCases } from './recovery-table.ts';
import { type FoundFrame, replayFrame, settleReplay } from './replay.ts';
import { batchAt, findHeader, headerAt, isBlank, type SegmentImage, salvage, type SoundBatch } from './scan.ts';
import {
  decodeSegmentHeader,
  isTemporary,
  prepareSegment,
  segmentHeaderBytes,
  segmentName,
  segmentSeed,
  sequenceOfName,
} from './segment.ts';
import { inspectSegments, loadImage, type SegmentFile } from './segment-file.ts';
import { isLackOfSpace } from './space.ts';
import { allLogs, createSegment, type Segment } from './state.ts';
import { JournalRefused } from './vocabulary.ts';
import { createWatermarkFile, readWatermarkFile, type WatermarkFile, type WatermarkFinding, watermarkName } from './watermark-file.ts';

/** The last sound batch: replayed only when its place is settled. */
interface HeldBatch {
  readonly batch: SoundBatch;
  readonly sequence: number;
  readonly offset: number;
}

export interface Recovery {
  readonly options: JournalOptions;
  readonly files: readonly SegmentFile[];
  readonly watermark: WatermarkFinding | undefined;
  readonly groups: Map<number, GroupLog[]>;
  readonly live: LiveCounts;
  readonly segments: Map<number, Segment>;
  /** Number of the batch that comes next in the chain; 0 until it is known. */
  expected: number;
  /** crc of the batch before; undefined where the chain cannot be checked (start, behind damage). */
  previousCrc: number | undefined;
  held: HeldBatch | undefined;
  /** The journal ends in damage: nothing of it may be written over or made void. */
  endDamaged: boolean;
  tornTails: number;
  corruptFrames: number;
  batches: number;
  frames: number;
}

export interface RecoveredJournal extends Recovery {
  readonly active: Segment;
  readonly watermarkFile: WatermarkFile;
  readonly durable: Watermark;
}

export async function recoverJournal(options: JournalOptions): Promise<RecoveredJournal> {
  const { disk, folder, storeId } = options;
  await disk.makeFolder(folder);
  const watermark = await readWatermarkFile(disk, folder, storeId);
  const files = await inspectSegments(options, await neededSequences(options, watermark), report(options));
  const recovery: Recovery = {
    options,
    files,
    watermark,
    groups: new Map(),
    live: new Map(),
    segments: new Map(),
    expected: watermark?.oldestBatch ?? firstNumber(files),
    previousCrc: undefined,
    held: undefined,
    endDamaged: false,
    tornTails: 0,
    corruptFrames: 0,
    batches: 0,
    frames: 0,
  };
  await followChain(recovery);
  return beginSegment(recovery);
}

/** Number of the journal's first batch, as far as the headers tell; 0 if they do not. */
const firstNumber = (files: readonly SegmentFile[]): number => (files.length === 0 ? 1 : (files[0]?.firstBatch ?? 0));

const report =
  (options: JournalOptions) =>
  (label: string, sequence: number, offset: number): void =>
    options.onEvent?.({ type: 'recovery-case', label, sequence, offset });

const firstSequence = 1;

/** Removes what a crash left behind, and returns the numbers of the segments that must be there. */
async function neededSequences(options: JournalOptions, watermark: WatermarkFinding | undefined): Promise<readonly number[]> {
  const { disk, folder, storeId } = options;
  const names = await disk.list(folder);
  const found = names.map(sequenceOfName).filter((sequence) => sequence !== undefined);
  checkFolder(options, found, watermark !== undefined);
  const oldest = watermark?.oldest ?? found[0] ?? firstSequence;
  for (const name of names.filter(isTemporary)) await disk.remove(`${folder}/${name}`);
  const garbage = names.filter((name) => (sequenceOfName(name) ?? oldest) < oldest);
  // A watermark that was read may be in the cache only; what it calls garbage is needed by the one on the disk.
  if (garbage.length > 0 && watermark !== undefined) {
    const { file } = await createWatermarkFile(disk, folder, storeId, { ...watermark, round: watermark.round + 1 });
    await file.close();
  }
  for (const name of garbage) await disk.remove(`${folder}/${name}`);
  // The oldest segment is there before a watermark names it, even if no batch is in it yet.
  const newest = Math.max(found.at(-1) ?? 0, watermark?.oldest ?? 0, watermark?.durable.sequence ?? 0);
  return Array.from({ length: Math.max(0, newest - oldest + 1) }, (_, i) => oldest + i);
}

function checkFolder(options: JournalOptions, found: readonly number[], watermarkKnown: boolean): void {
  const { folder, begun } = options;
  const oldest = found[0] ?? firstSequence;
  const row = matchCase(folderCases, { watermarkKnown, anySegment: found.length > 0, firstSegment: oldest === firstSequence, begun });
  if (!watermarkKnown && row.action !== 'begin') report(options)(row.label, oldest, 0);
  if (row.action !== 'refuse') return;
  const what = found.length === 0 ? 'has no segment any more' : `has no segment before ${segmentName(oldest)}`;
  throw corrupt(folder, `${what} and no sound ${watermarkName} file that says which it needs: votes and acknowledged entries may be lost.`);
}

async function followChain(recovery: Recovery): Promise<void> {
  for (const [position, file] of recovery.files.entries()) {
    const image = await loadImage(recovery.options, file);
    const segment = createSegment(recovery.options.storeId, file.sequence, image.bytes.length, segmentHeaderBytes);
    recovery.segments.set(file.sequence, segment);
    if (recovery.expected === 0) recovery.expected = headerAt(image, segmentHeaderBytes)?.number ?? 1;
    const goOn = await followSegment(recovery, position, image, segment);
    if (!goOn) return;
  }
}

/** Takes the batches of one segment; returns whether the chain may go on in the next one. */
async function followSegment(recovery: Recovery, position: number, image: SegmentImage, segment: Segment): Promise<boolean> {
  for (;;) {
    const batch = voidFrom(recovery, position) === recovery.expected ? undefined : chainedBatch(recovery, image, segment.end);
    if (batch !== undefined) {
      holdBatch(recovery, { batch, sequence: image.sequence, offset: segment.end });
      if (segment.firstBatch === 0) segment.firstBatch = batch.header.number;
      segment.end = batch.end;
      continue;
    }
    const goesOn = await findingsOfNext(recovery, position);
    const stops = !goesOn.cutHere && !goesOn.continued;
    const later = stops ? await laterBatch(recovery, position, image, segment.end) : undefined;
    const here = findingsHere(recovery, position, image, segment.end);
    const fileDamaged = here.fileDamaged || (stops && (await isGarbledBehind(recovery, position)));
    const row = matchCase(recoveryCases, { ...goesOn, ...here, fileDamaged, laterBatch: later !== undefined });
    report(recovery.options)(row.label, image.sequence, segment.end);
    if (row.action === 'next-segment') return true;
    if (row.action === 'end') return false;
    if (row.action === 'refuse') throw ofAnotherHistory(image.sequence, segment.end);
    if (row.action === 'cut') {
      cutTail(recovery, image.sequence, segment.end);
      return false;
    }
    const resume = takeDamage(recovery, image, segment.end, later);
    if (resume === undefined) return later !== undefined;
    segment.end = resume;
  }
}

/** Lowest batch number from which on batches of this segment are void, if any. */
function voidFrom(recovery: Recovery, position: number): number | undefined {
  const starts = recovery.files.slice(position + 1).flatMap((file) => (file.firstBatch > 0 ? [file.firstBatch] : []));
  return starts.length === 0 ? undefined : Math.min(...starts);
}

function chainedBatch(recovery: Recovery, image: SegmentImage, offset: number): SoundBatch | undefined {
  const batch = batchAt(image, offset);
  if (batch === undefined || batch.header.number !== recovery.expected) return undefined;
  return recovery.previousCrc === undefined || batch.header.previousCrc === recovery.previousCrc ? batch : undefined;
}

function holdBatch(recovery: Recovery, held: HeldBatch): void {
  releaseHeld(recovery);
  recovery.held = held;
  recovery.expected++;
  recovery.previousCrc = held.batch.header.crc;
  recovery.batches++;
  recovery.frames += held.batch.frames.length;
}

function releaseHeld(recovery: Recovery): void {
  for (const frame of recovery.held?.batch.frames ?? []) replayFrame(recovery, frame);
  recovery.held = undefined;
}

interface LaterBatch {
  readonly position: number;
  readonly offset: number;
  readonly number: number;
}

/** First batch after the expected one, in this segment or a later one. */
async function laterBatch(recovery: Recovery, position: number, image: SegmentImage, offset: number): Promise<LaterBatch | undefined> {
  const limit = voidFrom(recovery, position);
  const here = findHeader(image, offset, recovery.expected + 1);
  if (here !== undefined && (limit === undefined || here.number < limit)) return { position, ...here };
  for (const [i, file] of recovery.files.entries()) {
    if (i <= position) continue;
    if (file.firstBatch > recovery.expected) return { position: i, offset: segmentHeaderBytes, number: file.firstBatch };
    const found = findHeader(await loadImage(recovery.options, file), segmentHeaderBytes, recovery.expected + 1);
    if (found !== undefined) return { position: i, ...found };
  }
  return undefined;
}

/** Whether the chain goes on in a later segment: if so, no other finding matters. */
async function findingsOfNext(recovery: Recovery, position: number): Promise<Pick<ChainFindings, 'cutHere' | 'continued'>> {
  const next = recovery.files[position + 1];
  const cutHere = voidFrom(recovery, position) === recovery.expected;
  return { cutHere, continued: !cutHere && next !== undefined && (await continuesIn(recovery, next)) };
}

async function continuesIn(recovery: Recovery, next: SegmentFile): Promise<boolean> {
  const header = headerAt(await loadImage(recovery.options, next, segmentHeaderBytes + batchHeaderBytes), segmentHeaderBytes);
  if (header === undefined || header.number !== recovery.expected) return false;
  return recovery.previousCrc === undefined || header.previousCrc === recovery.previousCrc;
}

function findingsHere(
  recovery: Recovery,
  position: number,
  image: SegmentImage,
  offset: number,
): Omit<ChainFindings, 'cutHere' | 'continued' | 'laterBatch'> {
  return {
    otherHistory: isOtherHistory(recovery, image, offset),
    belowWatermark: recovery.expected <= (recovery.watermark?.durable.number ?? 0),
    fileDamaged: recovery.files.slice(position).some((file) => file.damaged),
    blank: isBlank(image, offset),
    watermarkKnown: recovery.watermark !== undefined,
  };
}

/** What was written behind damage names no batch before it: whoever wrote it did not know that one (see open.ts). */
const namesNone = 0;

/** The header may be judged without its frames: a torn write changes them, and no crash changes what a batch names. */
function isOtherHistory({ expected, previousCrc }: Recovery, image: SegmentImage, offset: number): boolean {
  const header = previousCrc === undefined ? undefined : headerAt(image, offset);
  return header?.number === expected && header.previousCrc !== previousCrc && header.previousCrc !== namesNone;
}

/** A later segment holds something, but its header is gone: the chain may have gone on there, for all that is known. */
async function isGarbledBehind({ files, options }: Recovery, position: number): Promise<boolean> {
  for (const file of files.slice(position + 1)) {
    const head = await loadImage(options, file, segmentHeaderBytes);
    if (decodeSegmentHeader(head.bytes).kind !== 'bad') continue;
    if (!isBlank(await loadImage(options, file), segmentHeaderBytes)) return true;
  }
  return false;
}

function cutTail(recovery: Recovery, sequence: number, offset: number): void {
  recovery.tornTails++;
  recovery.options.onEvent?.({ type: 'torn-tail', sequence, offset, batch: recovery.expected });
}

/** Saves what can be saved of a damaged region; returns where the chain goes on in this segment. */
function takeDamage(recovery: Recovery, image: SegmentImage, offset: number, later: LaterBatch | undefined): number | undefined {
  releaseHeld(recovery);
  const here = later !== undefined && recovery.files[later.position]?.sequence === image.sequence;
  const next = later?.number ?? Math.max(recovery.expected, recovery.watermark?.durable.number ?? 0) + 1;
  const to = here ? later.offset : image.bytes.length;
  const frames = salvage(image, { from: offset, to, first: recovery.expected, next, closed: here });
  // Nothing says that this was the last batch: others may have been behind it, and are gone with their names.
  const isEndUnknown = later === undefined && recovery.watermark === undefined;
  if (frames === undefined || isEndUnknown) throw unidentified(image.sequence, offset);
  for (const frame of frames) takeDamagedFrame(recovery, frame);
  recovery.previousCrc = undefined;
  if (later === undefined) recovery.endDamaged = true;
  recovery.expected = next;
  return here ? later.offset : undefined;
}

function takeDamagedFrame(recovery: Recovery, frame: FoundFrame): void {
  if (frame.payload === undefined) {
    recovery.corruptFrames++;
    const detail = `${frame.head.kind} ${frame.head.index} of group ${frame.head.group}`;
    recovery.options.onEvent?.({ type: 'corrupt', sequence: frame.segment, offset: frame.offset, detail });
  }
  replayFrame(recovery, frame);
}

function unidentified(sequence: number, offset: number): JournalRefused {
  const what = `is damaged at ${offset}, and what was lost there cannot be named`;
  return corrupt(segmentName(sequence), `${what}: votes and acknowledged entries may be among it.`);
}

function ofAnotherHistory(sequence: number, offset: number): JournalRefused {
  const what = `holds a batch at ${offset} that does not follow the one before it`;
  return corrupt(segmentName(sequence), `${what}: the files of this folder are not of one time, or were copied from several.`);
}

function corrupt(subject: string, what: string): JournalRefused {
  return new JournalRefused(
    'DATA_CORRUPT',
    `${subject} ${what} Nothing was changed. ` +
      'Restore the files, or remove this node from the cluster and let it join again with an empty data folder.',
  );
}

/** Begins the segment that is written from now on; see the header of this file. */
async function beginSegment(recovery: Recovery): Promise<RecoveredJournal> {
  const { options, watermark, held } = recovery;
  const { disk, folder, storeId } = options;
  const proven = held === undefined || held.batch.header.number <= (watermark?.durable.number ?? 0) || recovery.endDamaged;
  const lastNumber = recovery.expected - 1;
  assert(lastNumber >= 0, 'batches are numbered from 1', { lastNumber });
  const sequence = newSequence(recovery);
  const firstBatch = proven ? recovery.expected : lastNumber;
  const active = createSegment(storeId, sequence, options.segmentBytes, segmentHeaderBytes);
  const content = proven ? [] : copyHeld(recovery, held, active);
  releaseHeld(recovery);
  active.bytes = Math.max(options.segmentBytes, active.end);
  active.file = await prepareOrShrink(recovery, active, firstBatch, content);
  await removeAfter(recovery, sequence);
  settleReplay(recovery);
  for (const log of allLogs(recovery.groups)) {
    if (log.faulty !== undefined) options.onEvent?.({ type: 'group-faulty', ...log.key, ...log.faulty });
  }
  recovery.segments.set(sequence, active);
  const durable = { number: lastNumber, sequence: proven ? (held?.sequence ?? 0) : sequence, end: active.end };
  const oldest = recovery.files[0]?.sequence ?? sequence;
  const oldestBatch = watermark?.oldestBatch ?? (recovery.segments.get(oldest)?.firstBatch || recovery.expected);
  const round = (watermark?.round ?? 0) + 1;
  const watermarkFile = await createWatermarkFile(disk, folder, storeId, { durable, oldest, oldestBatch, round });
  return { ...recovery, active, watermarkFile, durable };
}

/** On a full disk blank segments go first, and one with little more than the reserve must do: votes and reads go on. */
async function prepareOrShrink(recovery: Recovery, active: Segment, firstBatch: number, content: readonly Uint8Array[]): Promise<DiskFile> {
  const { disk, folder, storeId, reserveBytes, fullFreeBytesMin } = recovery.options;
  const { sequence } = active;
  const prepare = (freeBytesMin = fullFreeBytesMin): Promise<DiskFile> =>
    prepareSegment(disk, folder, { storeId, sequence, firstBatch, bytes: active.bytes }, freeBytesMin, content);
  try {
    return await prepare();
  } catch (error) {
    if (!isLackOfSpace(error)) throw error;
  }
  await removeAfter(recovery, sequence - 1);
  try {
    return await prepare();
  } catch (error) {
    if (!isLackOfSpace(error)) throw error;
    active.bytes = active.end + reserveBytes;
    return prepare(0);
  }
}

/** Behind the last sound batch, in place of segments that hold nothing; behind all segments if there is damage at the end. */
function newSequence(recovery: Recovery): number {
  const first = recovery.files[0]?.sequence ?? recovery.watermark?.oldest ?? 1;
  const newest = recovery.files.at(-1)?.sequence ?? 0;
  if (recovery.endDamaged) return newest + 1;
  const used = [...recovery.segments.values()].filter((segment) => segment.end > segmentHeaderBytes);
  return (used.at(-1)?.sequence ?? first - 1) + 1;
}

/** Encodes the last batch for its new place, and replays it there. */
function copyHeld(recovery: Recovery, held: HeldBatch, active: Segment): readonly Uint8Array[] {
  const { frames, header } = held.batch;
  const contents = frames.map(({ head, payload }) => {
    assert(payload !== undefined, 'a held batch is sound');
    return { head, payload: [payload] };
  });
  const place = { seed: segmentSeed(recovery.options.storeId, active.sequence), offset: active.end, number: header.number };
  const encoded = encodeBatch(contents, { ...place, previousCrc: header.previousCrc, durable: header.durable });
  for (const [i, frame] of frames.entries()) replayFrame(recovery, { ...frame, segment: active.sequence, offset: encoded.offsets[i] ?? 0 });
  recovery.held = undefined;
  recovery.previousCrc = encoded.crc;
  active.firstBatch = header.number;
  active.end += encoded.bytes;
  return encoded.parts;
}

/** Removes segments that hold nothing: they lie behind the last batch. */
async function removeAfter(recovery: Recovery, sequence: number): Promise<void> {
  const { disk, folder } = recovery.options;
  const behind = recovery.files.filter((file) => file.sequence > sequence);
  for (const file of behind) {
    recovery.segments.delete(file.sequence);
    await disk.remove(`${folder}/${segmentName(file.sequence)}`).catch(ignoreMissing);
  }
  if (behind.length > 0) await disk.syncFolder(folder);
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof DiskError && error.code === 'ENOENT')) throw error;
}
