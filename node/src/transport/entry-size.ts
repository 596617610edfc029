/**
 * What an entry weighs wherever bytes are bounded (in-flight windows, queues, caches):
 * its payload plus a constant for its bookkeeping. Sender and receiver must use the
 * same number, because `Entry.size` is not on the wire.
 */
export const entryOverheadBytes = 48;

/** `payloadBytes`: command bytes or encoded membership; 0 for a no-op. */
export const entrySize = (payloadBytes: number): number => payloadBytes + entryOverheadBytes;
