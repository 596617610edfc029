/**
 * readEntries <-> proto. As with messages, nothing that came from a socket is believed
 * before it was checked: an answer is contiguous from the request's first index, stays
 * inside the request, the peer's log and its commit index, and its terms never fall.
 * Throws BadMessage.
 */
import type { ReadEntriesRequest, ReadEntriesResponse } from '@balsa/proto/peer';
import { asGroupId, asRaftIndex } from '../core/ids.ts';
import type { Entry } from '../core/raft/entry.ts';
import type { EntriesAnswer, EntriesRequest } from '../ports/network.ts';
import { BadMessage, count, decodeEntry, encodeEntry, encodeSnapshot, index, snapshotFrom, term } from './codec.ts';
import type { Asker } from './identity.ts';

export function encodeEntriesRequest(asker: Asker, { group, generation, first, last, bytesMax }: EntriesRequest): ReadEntriesRequest {
  return { ...asker, groupId: group, generation, first, last, maxBytes: bytesMax };
}

export function decodeEntriesRequest(wire: ReadEntriesRequest, bytesMax: number): EntriesRequest {
  const first = index(wire.first, 'first');
  const last = index(wire.last, 'last');
  if (first > last) throw new BadMessage(`entries ${first} to ${last} are no range`);
  return {
    group: asGroupId(count(wire.groupId, 'group')),
    generation: count(wire.generation, 'generation'),
    first,
    last,
    bytesMax: Math.min(count(wire.maxBytes, 'bytes'), bytesMax),
  };
}

export function encodeEntriesAnswer(hello: ReadEntriesResponse['hello'], answer: EntriesAnswer): ReadEntriesResponse {
  const { logStart, commit, entries, snapshot } = answer;
  return { hello, logStart, commit, entries: entries.map(encodeEntry), snapshot: snapshot && encodeSnapshot(snapshot) };
}

export function decodeEntriesAnswer(wire: ReadEntriesResponse, request: EntriesRequest): EntriesAnswer {
  const logStart = index(wire.logStart, 'log start');
  const commit = index(wire.commit, 'commit');
  const snapshot = wire.snapshot && snapshotFrom(wire.snapshot);
  if (commit < logStart) throw new BadMessage(`commit ${commit} before the log start ${logStart}`);
  if (snapshot !== undefined && (snapshot.index !== logStart || request.first > logStart)) {
    throw new BadMessage(`snapshot at ${snapshot.index} of a log that starts at ${logStart}`);
  }
  const entries = decodeRange(wire, request);
  if (entries.length > 0 && request.first <= logStart) throw new BadMessage(`entries before the log start ${logStart}`);
  return { logStart, commit, entries, snapshot };
}

function decodeRange({ entries, commit }: ReadEntriesResponse, { first, last }: EntriesRequest): Entry<Uint8Array>[] {
  const end = first + entries.length - 1;
  if (entries.length > 0 && end > Math.min(last, commit))
    throw new BadMessage(`entries up to ${end} where ${last} is the last and ${commit} committed`);
  let newest = 1;
  return entries.map((entry, at) => {
    const own = term(entry.term, 'entry term');
    if (own < newest) throw new BadMessage(`entry of term ${own} after term ${newest}`);
    newest = own;
    return decodeEntry(entry, asRaftIndex(first + at), own);
  });
}
