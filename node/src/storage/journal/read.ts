/**
 * Reading entries: from memory if they are there, else from the disk, neighbours in one
 * read. Every frame is checked against its checksum, its place and what the index
 * expects; anything else rejects with JournalCorrupt, and the entry is a hole from then on.
 * So is an entry that the device does not give back (EIO); other errors of the disk say
 * nothing about the data, and reject as they are.
 */
import { assert } from '../../core/assert.ts';
import { asRaftIndex, asTerm, type RaftIndex } from '../../core/ids.ts';
import type { Entry } from '../../core/raft/entry.ts';
import { DiskError } from '../../ports/disk.ts';
import { cachedEntry } from './entry-cache.ts';
import { entryOfFrame } from './frame-content.ts';
import { frameHeadBytes, placeSeed, readFrame } from './frame.ts';
import { columnAt, type GroupLog, hasIndex, lastIndex, loseEntry, slotOf, termAt } from './group-log.ts';
import { segmentName } from './segment.ts';
import { findLog, type JournalState, reportWatermark, type Segment, segmentOf } from './state.ts';
import { type EntryFacts, type GroupKey, JournalCorrupt } from './vocabulary.ts';
import { secureWatermark } from './watermark-file.ts';

/** Bytes of other frames that are read along rather than starting another read. */
const gapBytesMax = 64 * 1024;
const readBytesMax = 4 * 1024 * 1024;
/** Segments held open for reading; more are opened and closed as needed. */
const openSegmentsMax = 128;

/** An entry to read: where it is, and what must be found there. */
export interface Wanted {
  readonly index: number;
  readonly term: number;
  readonly segment: number;
  readonly offset: number;
  readonly length: number;
}

export function wantedAt(log: GroupLog, index: number): Wanted {
  const slot = slotOf(log, index);
  return {
    index,
    term: termAt(log, index),
    segment: columnAt(log.segment, slot),
    offset: columnAt(log.offset, slot),
    length: columnAt(log.length, slot),
  };
}

export function factsOf(log: GroupLog, first: RaftIndex, last: RaftIndex): EntryFacts[] {
  const facts: EntryFacts[] = [];
  const memberships = new Map(log.memberships.map(({ index, membership }) => [index, membership]));
  for (let index = first as number; index <= last; index++) {
    const size = columnAt(log.size, slotOf(log, index));
    const fact = { index: asRaftIndex(index), term: asTerm(termAt(log, index)), size };
    const membership = memberships.get(index);
    facts.push(membership === undefined ? fact : { ...fact, membership });
  }
  return facts;
}

export function cachedRange(log: GroupLog, first: RaftIndex, last: RaftIndex): Entry<Uint8Array>[] | undefined {
  const entries: Entry<Uint8Array>[] = [];
  for (let index = first as number; index <= last; index++) {
    const entry = hasIndex(log, index) ? cachedEntry(log, index) : undefined;
    if (entry === undefined) return undefined;
    entries.push(entry);
  }
  return entries;
}

export async function readEntries(
  state: JournalState,
  key: GroupKey,
  first: RaftIndex,
  last: RaftIndex,
  bytesMax: number,
): Promise<readonly Entry<Uint8Array>[]> {
  const log = findLog(state.groups, key);
  assert(log !== undefined && first >= log.first && last <= lastIndex(log), 'a read stays inside the log', { ...key, first, last });
  const found: (Entry<Uint8Array> | Wanted)[] = [];
  let bytes = 0;
  for (let index = first as number; index <= last; index++) {
    const size = columnAt(log.size, slotOf(log, index));
    if (found.length > 0 && bytes + size > bytesMax) break;
    bytes += size;
    found.push(cachedEntry(log, index) ?? wantedAt(log, index));
  }
  const wanted = found.filter((item) => 'segment' in item);
  const read = await readWanted(state, key, wanted);
  return found.map((item) => ('segment' in item ? entryFrom(read, item) : item));
}

function entryFrom(read: ReadonlyMap<number, Entry<Uint8Array>>, wanted: Wanted): Entry<Uint8Array> {
  const entry = read.get(wanted.index);
  assert(entry !== undefined, 'every wanted entry was read', { index: wanted.index });
  return entry;
}

/** Reads `wanted` (ascending by index) and returns the entries by index. */
export async function readWanted(state: JournalState, key: GroupKey, wanted: readonly Wanted[]): Promise<Map<number, Entry<Uint8Array>>> {
  const entries = new Map<number, Entry<Uint8Array>>();
  // All segments are pinned at once: the group may stop needing them while the first one is read.
  const pinned = [...new Set(wanted.map(({ segment }) => segment))].flatMap((sequence) => state.segments.get(sequence) ?? []);
  for (const segment of pinned) segment.readers++;
  try {
    for (let start = 0; start < wanted.length; ) {
      const end = runEnd(wanted, start);
      await readRun(state, key, wanted.slice(start, end), entries);
      start = end;
    }
  } finally {
    for (const segment of pinned) segment.readers--;
  }
  return entries;
}

const endOf = (wanted: Wanted): number => wanted.offset + frameHeadBytes + wanted.length;

/** End (exclusive) of the neighbours from `start` that one read serves. */
function runEnd(wanted: readonly Wanted[], start: number): number {
  const first = wanted[start];
  assert(first !== undefined, 'a run has a start');
  let previous = first;
  let end = start + 1;
  for (let next = wanted[end]; next !== undefined; next = wanted[++end]) {
    const gap = next.offset - endOf(previous);
    const near = next.segment === first.segment && gap >= 0 && gap <= gapBytesMax && endOf(next) - first.offset <= readBytesMax;
    if (!near) break;
    previous = next;
  }
  return end;
}

async function readRun(state: JournalState, key: GroupKey, run: readonly Wanted[], entries: Map<number, Entry<Uint8Array>>): Promise<void> {
  const first = run[0];
  const last = run.at(-1);
  assert(first !== undefined && last !== undefined, 'a run is not empty');
  if (first.segment === 0) throw new JournalCorrupt(`entry ${first.index} of group ${key.group} was lost; it must come from a peer`);
  const segment = segmentOf(state, first.segment);
  const bytes = await readOrError(state, segment, first.offset, endOf(last) - first.offset);
  if (bytes instanceof DiskError) {
    if (run.length > 1) return readHalves(state, key, run, entries);
    throw lost(state, key, first, `cannot be read: ${bytes.message}`, bytes);
  }
  for (const item of run) {
    const frame = readFrame(bytes, item.offset - first.offset, placeSeed(segment.seed, item.offset));
    const head = frame?.head;
    const expected = head !== undefined && head.group === key.group && head.generation === key.generation && head.index === item.index;
    if (frame?.sound !== true || !expected || head.term !== item.term) throw lost(state, key, item, 'does not match its checksum');
    entries.set(item.index, entryOfFrame(frame.head, frame.payload));
  }
}

/** What the device cannot give back, or somebody has removed, is returned as the error that says so. */
async function readOrError(state: JournalState, segment: Segment, position: number, length: number): Promise<Uint8Array | DiskError> {
  try {
    const file = await openSegment(state, segment);
    return await file.read(position, length);
  } catch (error) {
    if (error instanceof DiskError && lossCodes.includes(error.code)) return error;
    throw error;
  }
}

const lossCodes: readonly string[] = ['EIO', 'ENOENT'];

/** Only what cannot be read by itself is lost, not its neighbours; all of it at once, so that one repair serves. */
async function readHalves(
  state: JournalState,
  key: GroupKey,
  run: readonly Wanted[],
  entries: Map<number, Entry<Uint8Array>>,
): Promise<void> {
  const middle = run.length >>> 1;
  let corrupt: JournalCorrupt | undefined;
  for (const half of [run.slice(0, middle), run.slice(middle)]) {
    try {
      await readRun(state, key, half, entries);
    } catch (error) {
      if (!(error instanceof JournalCorrupt)) throw error;
      corrupt ??= error;
    }
  }
  if (corrupt !== undefined) throw corrupt;
}

/** Makes a hole of an entry; returns the error to be thrown. A restart must find the hole too, whatever becomes of the power. */
function lost(state: JournalState, key: GroupKey, item: Wanted, why: string, cause?: DiskError): JournalCorrupt {
  state.corruptFrames++;
  const log = findLog(state.groups, key);
  if (log !== undefined) loseEntry(log, item.index, item, state.live);
  secureWatermark(state.watermarkFile, state.durable, (error) => reportWatermark(state, error));
  const detail = `entry ${item.index} of group ${key.group}`;
  state.options.onEvent?.({ type: 'corrupt', sequence: item.segment, offset: item.offset, detail });
  return new JournalCorrupt(`${segmentName(item.segment)} at ${item.offset}: ${detail} ${why}`, { cause });
}

async function openSegment(state: JournalState, segment: Segment): Promise<NonNullable<Segment['file']>> {
  if (segment.file !== undefined) return segment.file;
  await closeIdle(state);
  const file = await state.disk.openFile(`${state.folder}/${segmentName(segment.sequence)}`, 'read');
  // Another read may have opened it in the meantime.
  if (segment.file !== undefined) {
    await file.close();
    return segment.file;
  }
  segment.file = file;
  return file;
}

async function closeIdle(state: JournalState): Promise<void> {
  const open = [...state.segments.values()].filter((segment) => segment.file !== undefined);
  if (open.length < openSegmentsMax) return;
  const idle = open.find((segment) => segment.readers === 0 && segment !== state.active);
  const file = idle?.file;
  if (idle === undefined || file === undefined) return;
  idle.file = undefined;
  await file.close();
}
