/** Builders and a model for journal tests: what a journal must hold after a sequence of frames. */
import { asGroupId, asNodeId, asRaftIndex, asTerm } from '@balsa/node/core/ids.ts';
import type { Disk } from '@balsa/node/ports/disk.ts';
import { openJournal, type RepairableJournal } from '@balsa/node/storage/journal/open.ts';
import type { JournalEvent, JournalOpenOptions } from '@balsa/node/storage/journal/options.ts';
import type { Frame, Journal } from '@balsa/node/storage/journal/vocabulary.ts';

export const folder = '/data/journal';

export const smallOptions = {
  segmentBytes: 8 * 1024,
  batchBytesMax: 2 * 1024,
  reserveBytes: 1024,
  fullFreeBytesMin: 0,
  cacheBytesMax: 2 * 1024,
  moveBytesMax: 2 * 1024,
} as const;

export interface OpenedJournal {
  readonly journal: RepairableJournal;
  readonly events: JournalEvent[];
  readonly fatal: Error[];
}

/** Opens a journal with tiny segments; time stands still unless `now` is given. */
export async function open(disk: Disk, overrides: Partial<JournalOpenOptions> = {}): Promise<OpenedJournal> {
  const events: JournalEvent[] = [];
  const fatal: Error[] = [];
  const journal = await openJournal({
    disk,
    folder,
    storeId: 'store-1',
    ...smallOptions,
    onFatal: (error) => fatal.push(error),
    onEvent: (event) => events.push(event),
    now: () => 0,
    ...overrides,
  });
  return { journal, events, fatal };
}

export const key = (group: number) => ({ group: asGroupId(group), generation: 1 });

export const membership = { voters: [1, 2, 3].map(asNodeId), outgoing: [], learners: [asNodeId(4)], learnersNext: [], autoLeave: false };

export function command(group: number, index: number, term: number, payload: Uint8Array | string): Frame {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
  const entry = { kind: 'command' as const, index: asRaftIndex(index), term: asTerm(term), size: bytes.length, payload: bytes };
  return { ...key(group), kind: 'entry', entry };
}

export const noop = (group: number, index: number, term: number): Frame => ({
  ...key(group),
  kind: 'entry',
  entry: { kind: 'noop', index: asRaftIndex(index), term: asTerm(term), size: 0 },
});

export const change = (group: number, index: number, term: number): Frame => ({
  ...key(group),
  kind: 'entry',
  entry: { kind: 'membership', index: asRaftIndex(index), term: asTerm(term), size: 10, membership },
});

export const hard = (group: number, term: number, votedFor: number, commit: number): Frame => ({
  ...key(group),
  kind: 'hard-state',
  hardState: { term: asTerm(term), votedFor, commit: asRaftIndex(commit) },
});

export const start = (group: number, index: number, term: number, state = `state-${index}`): Frame => ({
  ...key(group),
  kind: 'log-start',
  snapshot: { index: asRaftIndex(index), term: asTerm(term), membership, state: Buffer.from(state) },
});

export const removed = (group: number): Frame => ({ ...key(group), kind: 'removed' });

/** A group as text, so that states can be compared and printed. */
export type ModelState = ReadonlyMap<number, string>;

interface ModelGroup {
  hardState: { term: number; votedFor: number; commit: number };
  start: { index: number; term: number; state: string };
  entries: { index: number; term: number; kind: string; content: string }[];
}

const emptyGroup = (): ModelGroup => ({
  hardState: { term: 0, votedFor: 0, commit: 0 },
  start: { index: 0, term: 0, state: '' },
  entries: [],
});

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

/** The simplest journal there can be. */
export function createModel() {
  const groups = new Map<number, ModelGroup>();
  return {
    apply: (frame: Frame): void => applyToModel(groups, frame),
    state: (): ModelState => new Map([...groups].map(([group, state]) => [group, JSON.stringify(state)])),
    group: (group: number): ModelGroup | undefined => groups.get(group),
  };
}

function applyToModel(groups: Map<number, ModelGroup>, frame: Frame): void {
  if (frame.kind === 'removed') {
    groups.delete(frame.group);
    return;
  }
  const group = groups.get(frame.group) ?? emptyGroup();
  groups.set(frame.group, group);
  if (frame.kind === 'hard-state') group.hardState = { ...frame.hardState };
  else if (frame.kind === 'log-start') {
    const { index, term, state } = frame.snapshot;
    const matches =
      group.start.index === index ? group.start.term === term : group.entries.some((e) => e.index === index && e.term === term);
    group.entries = matches ? group.entries.filter((e) => e.index > index) : [];
    group.start = { index, term, state: hex(state) };
  } else {
    const { entry } = frame;
    group.entries = group.entries.filter((e) => e.index < entry.index);
    group.entries.push({ index: entry.index, term: entry.term, kind: entry.kind, content: contentOf(entry) });
  }
}

function contentOf(entry: (Frame & { kind: 'entry' })['entry']): string {
  if (entry.kind === 'command') return hex(entry.payload);
  return entry.kind === 'membership' ? JSON.stringify(entry.membership) : '';
}

/** What the journal holds now, in the model's form: read back entry by entry. */
export async function stateOf(journal: Journal, groupsMax = 8): Promise<ModelState> {
  const states = new Map<number, string>();
  const found = new Map(journal.groups().map((group) => [group.group as number, group]));
  for (let group = 0; group < groupsMax; group++) {
    const recovered = found.get(group);
    if (recovered === undefined) continue;
    const { hardState, snapshot, first, last } = recovered;
    const entries = last < first ? [] : await journal.read(recovered, first, last, Number.POSITIVE_INFINITY);
    const model: ModelGroup = {
      hardState: { term: hardState.term, votedFor: hardState.votedFor, commit: hardState.commit },
      start: { index: snapshot.index, term: snapshot.term, state: hex(snapshot.state) },
      entries: entries.map((entry) => ({ index: entry.index, term: entry.term, kind: entry.kind, content: contentOf(entry) })),
    };
    states.set(group, JSON.stringify(model));
  }
  return states;
}

export const sameState = (a: ModelState, b: ModelState): boolean =>
  a.size === b.size && [...a].every(([group, state]) => b.get(group) === state);

/** Small seeded generator (mulberry32), so that a failing choice can be repeated. */
export function createRng(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
