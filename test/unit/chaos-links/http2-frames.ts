/** Builds one direction of an HTTP/2 connection that carries gRPC, and says where its messages end. */
import fc from 'fast-check';

const prefixBytes = 5;

export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export function frame(type: number, stream: number, payload: Uint8Array, flags = 0): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  // The first bit is reserved: receivers must ignore it.
  header.writeUInt32BE((stream | 0x8000_0000) >>> 0, 5);
  return Buffer.concat([header, payload]);
}

export function padded(stream: number, data: Uint8Array, padBytes: number): Buffer {
  return frame(0, stream, Buffer.concat([Buffer.from([padBytes]), data, Buffer.alloc(padBytes, 0xff)]), 0x8);
}

export const data = (stream: number, bytes: Uint8Array): Buffer => frame(0, stream, bytes);
/** A HEADERS frame; what is in it does not matter, so it looks like data. */
export const headers = (stream: number): Buffer => frame(1, stream, Buffer.alloc(20, 0), 0x4);
export const windowUpdate = (): Buffer => frame(8, 0, Buffer.from([0, 0, 16, 0]));
export const resetStream = (stream: number): Buffer => frame(3, stream, Buffer.alloc(4));

export function message(bodyBytes: number): Buffer {
  const bytes = Buffer.alloc(prefixBytes + bodyBytes, 0x01);
  bytes.writeUInt8(0, 0);
  bytes.writeUInt32BE(bodyBytes, 1);
  return bytes;
}

/** Offset behind the last byte of a message, and its stream. */
export interface MessageEnd {
  readonly at: number;
  readonly stream: number;
}

export interface Wire {
  readonly bytes: Buffer;
  readonly ends: readonly MessageEnd[];
  /** From the first byte of a DATA frame's payload to the end of its data (exclusive), without padding. */
  readonly payloads: readonly { readonly from: number; readonly to: number }[];
}

interface Piece {
  readonly stream: number;
  readonly bytes: number;
  /** Undefined: a plain frame. */
  readonly padBytes: number | undefined;
  /** What stands before it. */
  readonly before: 'nothing' | 'headers' | 'window-update' | 'empty-data';
}

interface Plan {
  readonly upstream: boolean;
  /** Sizes of the bodies, by stream 1, 3, 5. */
  readonly bodies: readonly (readonly number[])[];
  /** In which pieces, and in which order, the streams are sent; then all that is left. */
  readonly pieces: readonly Piece[];
}

const piece: fc.Arbitrary<Piece> = fc.record({
  stream: fc.constantFrom(1, 3, 5),
  bytes: fc.integer({ min: 1, max: 40 }),
  padBytes: fc.option(fc.nat({ max: 12 }), { nil: undefined }),
  before: fc.constantFrom('nothing' as const, 'headers' as const, 'window-update' as const, 'empty-data' as const),
});

const plan: fc.Arbitrary<Plan> = fc.record({
  upstream: fc.boolean(),
  bodies: fc.array(fc.array(fc.oneof(fc.constant(0), fc.nat({ max: 60 })), { maxLength: 4 }), { minLength: 3, maxLength: 3 }),
  pieces: fc.array(piece, { maxLength: 25 }),
});

/** A connection with up to three streams whose messages are cut into frames anyhow. */
export const wire: fc.Arbitrary<Wire & { readonly direction: 'upstream' | 'downstream' }> = plan.map(build);

function build({ upstream, bodies, pieces }: Plan): Wire & { readonly direction: 'upstream' | 'downstream' } {
  const left = bodies.map((sizes) => Buffer.concat(sizes.map(message)));
  /** Where in its stream each message ends. */
  const endsOf = bodies.map((sizes) => sizes.map((_, i) => sizes.slice(0, i + 1).reduce((sum, size) => sum + size + prefixBytes, 0)));
  const sent = [0, 0, 0];
  const out: Buffer[] = upstream ? [preface] : [];
  const ends: MessageEnd[] = [];
  const payloads: { readonly from: number; readonly to: number }[] = [];
  let at = upstream ? preface.length : 0;
  const push = (bytes: Buffer): void => {
    out.push(bytes);
    at += bytes.length;
  };
  const rest = left.map((bytes, i): Piece => ({ stream: 2 * i + 1, bytes: bytes.length, padBytes: undefined, before: 'nothing' }));
  for (const { stream, bytes, padBytes, before } of [...pieces, ...rest]) {
    const i = (stream - 1) / 2;
    if (before === 'headers') push(headers(stream));
    if (before === 'window-update') push(windowUpdate());
    if (before === 'empty-data') push(data(stream, Buffer.alloc(0)));
    const part = left[i]!.subarray(0, bytes);
    if (part.length === 0) continue;
    const dataAt = at + 9 + (padBytes === undefined ? 0 : 1);
    payloads.push({ from: at + 9, to: dataAt + part.length });
    const fresh = endsOf[i]!.filter((end) => end > sent[i]! && end <= sent[i]! + part.length);
    ends.push(...fresh.map((end) => ({ at: dataAt + end - sent[i]!, stream })));
    push(padBytes === undefined ? data(stream, part) : padded(stream, part, padBytes));
    sent[i]! += part.length;
    left[i] = left[i]!.subarray(part.length);
  }
  return { direction: upstream ? 'upstream' : 'downstream', bytes: Buffer.concat(out), ends, payloads };
}
