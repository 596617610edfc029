/** The bytes of a membership are a format on disk and on the wire: fixed here. */
import { expect, test } from 'vitest';
import { decodeMembership, encodeMembership, MembershipCorrupt, membershipBytes } from '@balsa/node/core/raft/membership-codec.ts';
import { ids, membershipOf } from './replica.ts';

const joint = { voters: ids(1, 4), outgoing: ids(1, 300), learners: ids(9), learnersNext: ids(300), autoLeave: true };
const bytes = [1, 1, 2, 0, 1, 0, 4, 0, 2, 0, 1, 0, 44, 1, 1, 0, 9, 0, 1, 0, 44, 1];

test('the layout of version 1', () => {
  expect([...encodeMembership(joint)]).toEqual(bytes);
  expect(decodeMembership(Uint8Array.from(bytes))).toEqual(joint);
  expect(membershipBytes(joint)).toBe(bytes.length);
});

test('decodes from the middle of a larger buffer', () => {
  const larger = Uint8Array.from([7, 7, 7, ...bytes, 7]);
  expect(decodeMembership(larger.subarray(3, 3 + bytes.length))).toEqual(joint);
});

test.each([
  { name: 'nothing', damaged: [] },
  { name: 'an unknown version', damaged: [2, ...bytes.slice(1)] },
  { name: 'unknown flags', damaged: [1, 2, ...bytes.slice(2)] },
  { name: 'no voters', damaged: [1, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
  { name: 'a node twice', damaged: [1, 0, 2, 0, 4, 0, 4, 0, 0, 0, 0, 0, 0, 0] },
  { name: 'nodes out of order', damaged: [1, 0, 2, 0, 4, 0, 1, 0, 0, 0, 0, 0, 0, 0] },
  { name: 'node 0', damaged: [1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
  { name: 'auto-leave without a joint phase', damaged: [1, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0] },
  { name: 'bytes left over', damaged: [...bytes, 0] },
])('refuses $name', ({ damaged }) => {
  expect(() => decodeMembership(Uint8Array.from(damaged))).toThrow(MembershipCorrupt);
});

test('refuses every truncation', () => {
  for (let length = 0; length < bytes.length; length++) {
    expect(() => decodeMembership(encodeMembership(membershipOf([1, 2, 3])).subarray(0, Math.min(length, 15)))).toThrow(MembershipCorrupt);
    expect(() => decodeMembership(Uint8Array.from(bytes.slice(0, length)))).toThrow(MembershipCorrupt);
  }
});
