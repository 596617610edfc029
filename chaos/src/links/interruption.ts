/**
 * What a link does to the next bytes of one direction of one connection, once. Pure.
 *
 * `truncate`: all of the next chunk but its last byte goes out, then the stream ends in order.
 * A chunk ends where a frame does, unless the sender had more to send than fits in it, so
 * the reader has a frame that never becomes whole, and no error of the network says why.
 *
 * `go-away`: a GOAWAY frame (RFC 9113, section 6.8) goes out between two frames, as from a
 * server or a proxy that shuts down:
 *
 *   goaway := length:u24(=8) type:u8(=7) flags:u8(=0) stream:u32(=0) lastStream:u32 errorCode:u32
 *
 * The last stream is the largest there can be, as the server goes on to answer all it gets:
 * a client that takes a request for never seen and repeats it would be right otherwise.
 */
import { isBetweenFrames, type MessageScanner } from './grpc-messages.ts';

export const goAwayCodes = { 'no-error': 0x0, 'internal-error': 0x2, 'enhance-your-calm': 0xb } as const;
export type GoAwayCode = keyof typeof goAwayCodes;

export type Interruption = { readonly kind: 'truncate' } | { readonly kind: 'go-away'; readonly code: GoAwayCode };

const goAwayType = 7;
const goAwayBytes = 17;
const lastStreamMax = 0x7fff_ffff;

export function goAwayFrame(code: GoAwayCode): Buffer {
  const frame = Buffer.alloc(goAwayBytes);
  frame.writeUIntBE(goAwayBytes - 9, 0, 3);
  frame.writeUInt8(goAwayType, 3);
  frame.writeUInt32BE(lastStreamMax, 9);
  frame.writeUInt32BE(goAwayCodes[code], 13);
  return frame;
}

/** How many bytes of the chunk still go out before the stream ends; undefined if it is too short to be broken. */
export const truncated = (interruption: Interruption | undefined, bytes: number): number | undefined =>
  interruption?.kind === 'truncate' && bytes > 1 ? bytes - 1 : undefined;

/** The frame that may go out now; undefined if there is none, or if the last one is not whole yet. */
export function slippedIn(interruption: Interruption | undefined, scanner: MessageScanner | undefined): Buffer | undefined {
  if (interruption?.kind !== 'go-away' || scanner === undefined || !isBetweenFrames(scanner)) return undefined;
  return goAwayFrame(interruption.code);
}
