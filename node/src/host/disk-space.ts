/**
 * The gate before the journal when the disk is full. It stands before the Raft cores,
 * because what a core has appended cannot be taken back: everything that passes is
 * then written as essential, out of room that was claimed here.
 */
import type { HostState } from './state.ts';

/** Claims room for `bytes` of entries until the turn hands them to the journal; false if the disk has none. */
export function claimRoom(host: HostState, bytes: number): boolean {
  const { full, roomBytes } = host.options.journal.stats();
  if (full || host.claimedBytes + bytes > roomBytes) return false;
  host.claimedBytes += bytes;
  return true;
}
