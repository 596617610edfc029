/** Each check of the codec, by a message that fails it and nothing else. */
import { asNodeId } from '@balsa/node/core/ids.ts';
import { BadMessage, decodeMessage, encodeMessage } from '@balsa/node/transport/codec.ts';
import { entryOverheadBytes } from '@balsa/node/transport/entry-size.ts';
import { type RaftEntry, RaftEntryKind, type RaftMessage, RaftMessageKind } from '@balsa/proto/peer';
import { describe, expect, it } from 'vitest';
import { append } from '../../contract/harness/recorder.ts';

const [one, two] = [asNodeId(1), asNodeId(2)];
const decode = (wire: RaftMessage) => decodeMessage(wire, one, two);
const good: RaftMessage = encodeMessage(append(1, 2, 10, Uint8Array.of(1, 2, 3)));
const entry = (change: Partial<RaftEntry>): RaftEntry => ({ ...good.entries[0]!, ...change });
const snapshotRequest: RaftMessage = {
  ...good,
  kind: RaftMessageKind.RAFT_MESSAGE_KIND_SNAPSHOT_REQUEST,
  snapshot: { index: 4, term: 2, membership: Uint8Array.of(1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0), state: Uint8Array.of(7) },
};

describe('codec', () => {
  it('takes the message that the failing ones are made of', () => {
    expect(decode(good)).toEqual(append(1, 2, 10, Uint8Array.of(1, 2, 3)));
    expect(decode(snapshotRequest).message).toMatchObject({
      kind: 'snapshot-request',
      snapshot: { index: 4, membership: { voters: [1] } },
    });
  });

  it.each<[string, RaftMessage]>([
    ['unknown message kind', { ...good, kind: RaftMessageKind.UNRECOGNIZED }],
    ['kind not set', { ...good, kind: RaftMessageKind.RAFT_MESSAGE_KIND_UNSPECIFIED }],
    ['negative group', { ...good, groupId: -1 }],
    ['fractional generation', { ...good, generation: 1.5 }],
    ['unsafe term', { ...good, term: 2 ** 53 }],
    ['request of term 0', { ...good, term: 0, indexTerm: 0, entries: [] }],
    ['unsafe index', { ...good, index: 2 ** 53 }],
    ['unsafe index of the last entry', { ...good, index: Number.MAX_SAFE_INTEGER }],
    ['unsafe commit', { ...good, commit: 2 ** 53 }],
    ['previous entry of a later term', { ...good, indexTerm: 4, entries: [] }],
    ['index 0 with a term', { ...good, index: 0 }],
    ['entry of a later term than the sender', { ...good, entries: [entry({ term: 4 })] }],
    ['entry of an earlier term than the previous one', { ...good, entries: [entry({ term: 2 })] }],
    ['terms that go down', { ...good, term: 9, entries: [entry({ term: 5 }), entry({ term: 4 })] }],
    ['entry of term 0', { ...good, index: 0, indexTerm: 0, entries: [entry({ term: 0 })] }],
    ['unknown entry kind', { ...good, entries: [entry({ kind: RaftEntryKind.UNRECOGNIZED })] }],
    ['no-op with a payload', { ...good, entries: [entry({ kind: RaftEntryKind.RAFT_ENTRY_KIND_NOOP })] }],
    ['membership that is none', { ...good, entries: [entry({ kind: RaftEntryKind.RAFT_ENTRY_KIND_MEMBERSHIP })] }],
    ['snapshot request without a snapshot', { ...snapshotRequest, snapshot: undefined }],
    ['snapshot of a later term', { ...snapshotRequest, snapshot: { ...snapshotRequest.snapshot!, term: 4 } }],
    ['snapshot with an unsafe index', { ...snapshotRequest, snapshot: { ...snapshotRequest.snapshot!, index: 2 ** 53 } }],
    [
      'snapshot with a membership that is none',
      { ...snapshotRequest, snapshot: { ...snapshotRequest.snapshot!, membership: Uint8Array.of(9) } },
    ],
    ['heartbeat of term 0', { ...good, kind: RaftMessageKind.RAFT_MESSAGE_KIND_HEARTBEAT_REQUEST, term: 0 }],
    ['unsafe read round', { ...good, kind: RaftMessageKind.RAFT_MESSAGE_KIND_HEARTBEAT_RESPONSE, readRound: 2 ** 53 }],
    ['unsafe hint', { ...good, kind: RaftMessageKind.RAFT_MESSAGE_KIND_APPEND_RESPONSE, hintIndex: 2 ** 53 }],
  ])('refuses: %s', (_name, wire) => {
    expect(() => decode(wire)).toThrow(BadMessage);
  });

  it('numbers entries by their place and weighs them like the sender', () => {
    const { message } = decode({
      ...good,
      entries: [entry({}), entry({ kind: RaftEntryKind.RAFT_ENTRY_KIND_NOOP, payload: new Uint8Array() })],
    });
    expect(message).toMatchObject({
      entries: [
        { index: 11, size: 3 + entryOverheadBytes },
        { index: 12, size: entryOverheadBytes },
      ],
    });
  });

  it('does not send entries with a hole', () => {
    const request = append(1, 2, 10, Uint8Array.of(1));
    expect(() => encodeMessage({ ...request, message: { ...request.message, index: 9 } as typeof request.message })).toThrow(
      'not contiguous',
    );
  });
});
