/** Any message that a node may send to another one. */
import { asGroupId, asNodeId, asRaftIndex, asTerm, type NodeId } from '@balsa/node/core/ids.ts';
import type { Entry } from '@balsa/node/core/raft/entry.ts';
import type { Membership } from '@balsa/node/core/raft/membership.ts';
import { encodeMembership } from '@balsa/node/core/raft/membership-codec.ts';
import type { Message } from '@balsa/node/core/raft/message.ts';
import type { GroupMessage } from '@balsa/node/ports/network.ts';
import { entrySize } from '@balsa/node/transport/entry-size.ts';
import fc from 'fast-check';

/** Small numbers, and those around the widths of their encoding. */
const count = fc.oneof(
  fc.nat({ max: 300 }),
  fc.constantFrom(127, 128, 16383, 16384, 2 ** 32 - 1, 2 ** 32, 2 ** 35, 2 ** 42 + 3, Number.MAX_SAFE_INTEGER - 1000),
);
const u32 = fc.oneof(fc.nat({ max: 300 }), fc.constantFrom(2 ** 31, 2 ** 32 - 1));
const bytes = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 126, maxLength: 130 }));

export const membership: fc.Arbitrary<Membership> = fc
  .uniqueArray(fc.integer({ min: 1, max: 65535 }), { minLength: 2, maxLength: 6 })
  .map((ids) => {
    const nodes = ids.sort((a, b) => a - b).map(asNodeId);
    return { voters: nodes.slice(0, -1), outgoing: [], learners: nodes.slice(-1), learnersNext: [], autoLeave: false };
  });

export function groupMessage(from: NodeId, to: NodeId): fc.Arbitrary<GroupMessage> {
  return fc.record({ group: u32.map(asGroupId), generation: u32, message: message({ from, to }) });
}

function message(link: { readonly from: NodeId; readonly to: NodeId }): fc.Arbitrary<Message<Uint8Array>> {
  const term = count.map((value) => asTerm(value + 1));
  const index = count.map(asRaftIndex);
  const flag = fc.boolean();
  const of = <Kind extends string>(kind: Kind) => ({ from: fc.constant(link.from), to: fc.constant(link.to), kind: fc.constant(kind) });
  return fc.oneof(
    fc.record({ ...of('vote-response'), term: count.map(asTerm), preVote: flag, reject: flag }),
    fc.record({ ...of('append-response'), term, reject: flag, index, hintIndex: index, hintTerm: count.map(asTerm) }),
    fc.record({ ...of('heartbeat-request'), term, commit: index, readRound: count }),
    fc.record({ ...of('heartbeat-response'), term, readRound: count }),
    fc.record({ ...of('snapshot-response'), term, index, reject: flag }),
    fc.record({ ...of('timeout-now'), term }),
    logPosition.chain((at) =>
      fc
        .record({ ...of('vote-request'), term: fc.constant(at.term), preVote: flag, transfer: flag })
        .map((vote) => ({ ...vote, index: at.index, indexTerm: at.indexTerm })),
    ),
    logPosition.chain((at) => {
      const entries = fc.array(entry, { maxLength: 5 }).map((list) => list.map((make, place) => make(at.index + 1 + place, at.term)));
      return fc.record({ ...of('append-request'), ...constants(at), commit: index, entries });
    }),
    logPosition.chain((at) => {
      const snapshot = fc.record({ index: fc.constant(at.index), term: fc.constant(at.indexTerm), membership, state: bytes });
      return fc.record({ ...of('snapshot-request'), term: fc.constant(at.term), snapshot });
    }),
  );
}

/** A place in a log whose term is not above the sender's. */
const logPosition = fc
  .record({ index: count, indexTerm: fc.nat({ max: 1000 }), later: fc.nat({ max: 1000 }) })
  .map(({ index, indexTerm, later }) => {
    const own = index === 0 ? 0 : indexTerm;
    return { index: asRaftIndex(index), indexTerm: asTerm(own), term: asTerm(own + later + 1) };
  });

const constants = <Record extends object>(record: Record) =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, fc.constant(value)])) as {
    [Name in keyof Record]: fc.Arbitrary<Record[Name]>;
  };

const entry: fc.Arbitrary<(index: number, term: number) => Entry<Uint8Array>> = fc.oneof(
  fc.constant((index: number, term: number) => ({
    kind: 'noop' as const,
    index: asRaftIndex(index),
    term: asTerm(term),
    size: entrySize(0),
  })),
  bytes.map((payload) => (index: number, term: number) => {
    return { kind: 'command' as const, index: asRaftIndex(index), term: asTerm(term), size: entrySize(payload.length), payload };
  }),
  membership.map((next) => (index: number, term: number) => {
    const size = entrySize(encodeMembership(next).length);
    return { kind: 'membership' as const, index: asRaftIndex(index), term: asTerm(term), size, membership: next };
  }),
);
