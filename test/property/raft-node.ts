/**
 * One node of the simulated group: a Raft core, its log as the host sees it (`view`)
 * and as the disk has it (`disk`), and the writes and messages in between.
 */
import { asRaftIndex, asTerm, type NodeId } from '@balsa/node/core/ids.ts';
import type { RaftConfig } from '@balsa/node/core/raft/config.ts';
import type { Write } from '@balsa/node/core/raft/effects.ts';
import type { Entry, HardState, Snapshot } from '@balsa/node/core/raft/entry.ts';
import type { Membership } from '@balsa/node/core/raft/membership.ts';
import type { Message, OutgoingMessage } from '@balsa/node/core/raft/message.ts';
import { createRaft, type RaftState } from '@balsa/node/core/raft/state.ts';

export interface Image {
  hardState: HardState;
  snapshot: Snapshot<string>;
  /** entries[0].index = snapshot.index + 1. */
  entries: Entry<string>[];
}

export interface SimNode {
  readonly id: NodeId;
  readonly config: RaftConfig;
  raft: RaftState | undefined;
  view: Image;
  disk: Image;
  pending: Write<string>[];
  held: { readonly token: number; readonly message: OutgoingMessage }[];
  /** Last index given to the machine since the start (inclusive). */
  handed: number;
  now: number;
}

export function bornNode(config: RaftConfig, birth: Membership): SimNode {
  const disk: Image = {
    hardState: { term: asTerm(0), votedFor: 0, commit: asRaftIndex(0) },
    snapshot: { index: asRaftIndex(0), term: asTerm(0), membership: birth, state: '' },
    entries: [],
  };
  const node: SimNode = { id: config.self, config, raft: undefined, view: disk, disk, pending: [], held: [], handed: 0, now: 0 };
  bootNode(node);
  return node;
}

export function bootNode(node: SimNode): void {
  const { hardState, snapshot, entries } = node.disk;
  node.view = { hardState, snapshot, entries: [...entries] };
  node.pending = [];
  node.held = [];
  node.handed = snapshot.index;
  const { index, term, membership } = snapshot;
  node.raft = createRaft(node.config, { hardState, snapshot: { index, term, membership }, entries, applied: index });
}

export function entryOf(image: Image, index: number): Entry<string> | undefined {
  return index > image.snapshot.index ? image.entries[index - image.snapshot.index - 1] : undefined;
}

export function termIn(image: Image, index: number): number | undefined {
  return index === image.snapshot.index ? image.snapshot.term : entryOf(image, index)?.term;
}

export const endOf = (image: Image): number => image.snapshot.index + image.entries.length;

export function writeImage(image: Image, write: Write<string>): void {
  if (write.hardState !== undefined) image.hardState = write.hardState;
  if (write.snapshot !== undefined) {
    image.snapshot = write.snapshot;
    image.entries = [];
  }
  const entries = write.entries.filter(({ index }) => index > image.snapshot.index);
  if (entries.length === 0) return;
  image.entries = [...image.entries.slice(0, entries[0]!.index - image.snapshot.index - 1), ...entries];
}

/** Drops the log up to `index`; the state of the snapshot is the last payload it sums up, which is enough to compare. */
export function compactImage(image: Image, snapshot: Snapshot<string>): void {
  if (endOf(image) < snapshot.index) throw new Error('compacted beyond the disk');
  image.entries = image.entries.slice(snapshot.index - image.snapshot.index);
  image.snapshot = snapshot;
}

/** Payloads for the ranges that a message names; undefined if they are no longer there. */
export function fillIn(view: Image, message: OutgoingMessage): Message<string> | undefined {
  if (message.kind === 'append-request') {
    const { first, last } = message.entries;
    if (last < first) return { ...message, entries: [] };
    if (first <= view.snapshot.index || last > endOf(view)) return undefined;
    return { ...message, entries: view.entries.slice(first - view.snapshot.index - 1, last - view.snapshot.index) };
  }
  if (message.kind !== 'snapshot-request') return message;
  const { index, term } = message.snapshot;
  return view.snapshot.index === index && view.snapshot.term === term ? { ...message, snapshot: view.snapshot } : undefined;
}
