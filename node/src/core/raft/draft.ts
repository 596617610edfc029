/**
 * Effects while a step is at work. The role files add to the draft; `seal` turns it
 * into the step's effects and orders the write.
 *
 * Rule for messages that need durability (`sendAfterWrite`): if the step writes, they
 * wait for its write. If it writes nothing but earlier writes are under way, it orders
 * an empty write, so that they wait for those (a re-acknowledgement must not overtake
 * the entries it acknowledges). If nothing is under way, everything they speak of is
 * on disk already and they leave at once, in `send`.
 *
 * Committed entries are handed over only as far as they are on this node's own disk:
 * a machine must never be ahead of the log it can be rebuilt from.
 */
import { assert } from '../assert.ts';
import { asRaftIndex, type NodeId, type RaftIndex, type Term } from '../ids.ts';
import { orderWrite } from './durability.ts';
import type { Effects, ReadState, Role, Write } from './effects.ts';
import type { Entry, HardState, Snapshot } from './entry.ts';
import type { Accepted, Refusal } from './input.ts';
import { lastIndex } from './log.ts';
import type { OutgoingMessage } from './message.ts';
import type { RaftState } from './state.ts';

export interface Draft<Payload> {
  readonly before: { readonly role: Role; readonly leader: NodeId; readonly term: Term };
  readonly send: OutgoingMessage[];
  readonly sendAfterWrite: OutgoingMessage[];
  readonly entries: Entry<Payload>[];
  snapshot: Snapshot<Payload> | undefined;
  readonly reads: ReadState[];
  readonly readsRefused: { readonly context: number; readonly refusal: Refusal }[];
  accepted: Accepted | undefined;
  refused: Refusal | undefined;
}

export function openDraft<Payload>({ role, leader, term }: RaftState): Draft<Payload> {
  return {
    before: { role, leader, term },
    send: [],
    sendAfterWrite: [],
    entries: [],
    snapshot: undefined,
    reads: [],
    readsRefused: [],
    accepted: undefined,
    refused: undefined,
  };
}

export function seal<Payload>(state: RaftState, draft: Draft<Payload>): Effects<Payload> {
  const write = draftWrite(state, draft);
  if (write === undefined) draft.send.push(...draft.sendAfterWrite.splice(0));
  const committed = handOver(state);
  const { before, send, sendAfterWrite, reads, readsRefused, accepted, refused } = draft;
  const isSoft = before.role !== state.role || before.leader !== state.leader || before.term !== state.term;
  return {
    send,
    sendAfterWrite,
    reads,
    readsRefused,
    ...(write !== undefined && { write }),
    ...(committed !== undefined && { committed }),
    ...(isSoft && { soft: { role: state.role, leader: state.leader, term: state.term } }),
    ...(accepted !== undefined && { accepted }),
    ...(refused !== undefined && { refused }),
  };
}

function draftWrite<Payload>(state: RaftState, draft: Draft<Payload>): Write<Payload> | undefined {
  const { entries, snapshot } = draft;
  const writesLog = entries.length > 0 || snapshot !== undefined;
  const hardState = hardStateToWrite(state, writesLog);
  const isBarrier = draft.sendAfterWrite.length > 0 && state.durability.underWay.length > 0;
  if (!writesLog && hardState === undefined && !isBarrier) return undefined;
  const newest = entries.at(-1);
  assert(newest === undefined || newest.index === lastIndex(state.log), 'a write ends where the log ends', { newest: newest?.index });
  const token = orderWrite(state.durability, lastIndex(state.log), hardState);
  return { token, entries, ...(snapshot !== undefined && { snapshot }), ...(hardState !== undefined && { hardState }) };
}

/** Term and vote are written when they change; the commit index only rides along, and never ahead of the disk. */
function hardStateToWrite({ term, votedFor, commit, durability }: RaftState, writesLog: boolean): HardState | undefined {
  const { ordered, durable } = durability;
  const isChanged = term !== ordered.term || votedFor !== ordered.votedFor;
  const durableCommit = asRaftIndex(Math.max(ordered.commit, Math.min(commit, durable)));
  if (!isChanged && !(writesLog && durableCommit > ordered.commit)) return undefined;
  return { term, votedFor, commit: durableCommit };
}

function handOver(state: RaftState): { readonly first: RaftIndex; readonly last: RaftIndex } | undefined {
  const last = asRaftIndex(Math.min(state.commit, state.durability.durable));
  if (last <= state.handed) return undefined;
  const first = asRaftIndex(state.handed + 1);
  state.handed = last;
  return { first, last };
}
