/**
 * Bytes of a membership, the same in the journal and on the wire:
 *
 *   version u8 | flags u8 (1: autoLeave) | voters | outgoing | learners | learnersNext
 *   list = count u16, then count node ids u16; little-endian, ascending.
 *
 * Equal memberships have equal bytes. Decoding accepts nothing that breaks an
 * invariant of membership.ts; it throws MembershipCorrupt, never returns a guess.
 */
import { asNodeId, type NodeId } from '../ids.ts';
import type { Membership } from './membership.ts';
import { isValidMembership } from './membership-change.ts';

const version = 1;
const autoLeaveFlag = 1;
const headBytes = 2;

/** The bytes are not a membership that this version understands. */
export class MembershipCorrupt extends Error {
  override readonly name: string = 'MembershipCorrupt';
}

const listsOf = ({ voters, outgoing, learners, learnersNext }: Membership): readonly (readonly NodeId[])[] => [
  voters,
  outgoing,
  learners,
  learnersNext,
];

/** Length of the encoding: what a membership entry counts for in byte limits. */
export function membershipBytes(membership: Membership): number {
  return listsOf(membership).reduce((sum, list) => sum + 2 + 2 * list.length, headBytes);
}

export function encodeMembership(membership: Membership): Uint8Array {
  const bytes = new Uint8Array(membershipBytes(membership));
  const view = new DataView(bytes.buffer);
  view.setUint8(0, version);
  view.setUint8(1, membership.autoLeave ? autoLeaveFlag : 0);
  let at = headBytes;
  for (const list of listsOf(membership)) {
    view.setUint16(at, list.length, true);
    list.forEach((node, position) => view.setUint16(at + 2 + 2 * position, node, true));
    at += 2 + 2 * list.length;
  }
  return bytes;
}

export function decodeMembership(bytes: Uint8Array): Membership {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [found, flags] = [bytes[0], bytes[1]];
  if (found !== version) throw new MembershipCorrupt(`membership version ${found ?? 'missing'}, expected ${version}`);
  if (flags === undefined || flags > autoLeaveFlag) throw new MembershipCorrupt(`membership flags ${flags ?? 'missing'}`);
  const cursor = { view, at: headBytes };
  const membership: Membership = {
    voters: readList(cursor),
    outgoing: readList(cursor),
    learners: readList(cursor),
    learnersNext: readList(cursor),
    autoLeave: flags === autoLeaveFlag,
  };
  if (cursor.at !== bytes.length) throw new MembershipCorrupt(`${bytes.length - cursor.at} bytes after the membership`);
  if (!isValidMembership(membership)) throw new MembershipCorrupt(`contradictory membership ${JSON.stringify(membership)}`);
  return membership;
}

function readList(cursor: { readonly view: DataView; at: number }): readonly NodeId[] {
  const { view, at } = cursor;
  if (at + 2 > view.byteLength) throw new MembershipCorrupt('membership ends inside a list');
  const count = view.getUint16(at, true);
  const end = at + 2 + 2 * count;
  if (end > view.byteLength) throw new MembershipCorrupt('membership ends inside a list');
  cursor.at = end;
  return Array.from({ length: count }, (_, position) => asNodeId(view.getUint16(at + 2 + 2 * position, true)));
}
