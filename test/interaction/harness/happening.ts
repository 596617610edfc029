/** What happens in a cluster, as data: the transcript prints it, the checks judge it. */
import type { NodeId, RaftIndex, Term } from '@balsa/node/core/ids.ts';
import type { Role, Write } from '@balsa/node/core/raft/effects.ts';
import type { Entry, Snapshot } from '@balsa/node/core/raft/entry.ts';
import type { Refusal } from '@balsa/node/core/raft/input.ts';
import type { OutgoingMessage } from '@balsa/node/core/raft/message.ts';
import type { Sent } from './network.ts';

export type Happening =
  | { readonly type: 'role'; readonly node: NodeId; readonly role: Role; readonly leader: NodeId; readonly term: Term }
  | { readonly type: 'accepted'; readonly node: NodeId; readonly first: RaftIndex; readonly last: RaftIndex; readonly term: Term }
  | { readonly type: 'refused'; readonly node: NodeId; readonly refusal: Refusal }
  /** Told before the write changes the store. */
  | { readonly type: 'write'; readonly node: NodeId; readonly write: Write<string> }
  | { readonly type: 'persisted'; readonly node: NodeId; readonly token: number }
  | { readonly type: 'held'; readonly node: NodeId; readonly token: number; readonly message: OutgoingMessage }
  | { readonly type: 'sent'; readonly message: Sent; readonly lost: boolean }
  /** The entries or the snapshot that the message names are no longer there. */
  | { readonly type: 'unsendable'; readonly message: OutgoingMessage }
  | { readonly type: 'delivered'; readonly message: Sent }
  | { readonly type: 'undeliverable'; readonly message: Sent }
  /** Both inclusive. */
  | { readonly type: 'committed'; readonly node: NodeId; readonly first: RaftIndex; readonly last: RaftIndex }
  | { readonly type: 'applied'; readonly node: NodeId; readonly entries: readonly Entry<string>[]; readonly state: string }
  | { readonly type: 'installed'; readonly node: NodeId; readonly snapshot: Snapshot<string> }
  /** A read was asked for. */
  | { readonly type: 'asked'; readonly node: NodeId; readonly context: number }
  | { readonly type: 'read'; readonly node: NodeId; readonly context: number; readonly index: RaftIndex }
  | { readonly type: 'read-refused'; readonly node: NodeId; readonly context: number; readonly refusal: Refusal }
  | { readonly type: 'stepped'; readonly node: NodeId }
  | { readonly type: 'crashed'; readonly node: NodeId; readonly lostWrites: number }
  | { readonly type: 'restarted'; readonly node: NodeId }
  /** The core threw: a production node would stop here. */
  | { readonly type: 'broken'; readonly node: NodeId; readonly reason: string };
