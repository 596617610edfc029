/**
 * Finds the ends of gRPC messages in one direction of an HTTP/2 connection, so that a
 * fault can strike exactly between a request and its reply. Pure; reads frame headers and
 * message prefixes only.
 *
 * HTTP/2 frame: length (24 bits), type (8), flags (8), stream (32, first bit reserved),
 * payload. A DATA frame (type 0) may be padded (flag 8): pad length (8), data, padding.
 * The data of a stream is a sequence of gRPC messages: compressed (8), length (32), body.
 * The dialling side begins with a preface of 24 bytes.
 */
const prefaceBytes = 24;
const frameHeaderBytes = 9;
const dataType = 0;
const resetType = 3;
const paddedFlag = 0x8;
const messagePrefixBytes = 5;
const streamMask = 0x7fff_ffff;

/** A message that has begun on a stream. */
interface OpenMessage {
  prefix: number[];
  /** Of the body; undefined until the prefix is whole. */
  missingBytes: number | undefined;
}

export interface MessageScanner {
  /** Bytes that are of no interest: preface, other frames, padding. */
  skipBytes: number;
  readonly header: number[];
  /** The DATA frame that is being read. */
  data: { readonly stream: number; missingBytes: number; padBytes: number; readonly padded: boolean; padKnown: boolean } | undefined;
  /** Only streams in the middle of a message. */
  readonly openMessages: Map<number, OpenMessage>;
}

export function createMessageScanner(direction: 'upstream' | 'downstream'): MessageScanner {
  return { skipBytes: direction === 'upstream' ? prefaceBytes : 0, header: [], data: undefined, openMessages: new Map() };
}

/** Whether the next byte begins a frame. */
export const isBetweenFrames = ({ skipBytes, header, data }: MessageScanner): boolean =>
  skipBytes === 0 && header.length === 0 && data === undefined;

export interface Scan {
  /** Bytes read: all, or up to where the data of message number `messagesMax` + 1 begins. */
  readonly bytes: number;
  /** Messages that ended within them, by their streams. */
  readonly ended: readonly number[];
}

/**
 * Reads on, but not into the data of message number `messagesMax` + 1. What follows the
 * last message before that is read too: the end of a request's stream is a frame of its own.
 */
export function scan(scanner: MessageScanner, chunk: Uint8Array, messagesMax = Number.POSITIVE_INFINITY): Scan {
  let at = 0;
  const ended: number[] = [];
  while (at < chunk.length && (ended.length < messagesMax || scanner.data === undefined)) {
    if (scanner.skipBytes > 0) {
      const skipped = Math.min(scanner.skipBytes, chunk.length - at);
      scanner.skipBytes -= skipped;
      at += skipped;
    } else if (scanner.data === undefined) {
      readHeader(scanner, chunk[at] ?? 0);
      at += 1;
    } else {
      const { data } = scanner;
      const step = readData(scanner, data, chunk, at);
      at += step.bytes;
      if (step.complete) ended.push(data.stream);
    }
  }
  return { bytes: at, ended };
}

function readHeader(scanner: MessageScanner, byte: number): void {
  const { header } = scanner;
  header.push(byte);
  if (header.length < frameHeaderBytes) return;
  const [a = 0, b = 0, c = 0, type = 0, flags = 0, ...stream] = header.splice(0);
  const bytes = (a << 16) | (b << 8) | c;
  const number = stream.reduce((value, part) => ((value << 8) | part) >>> 0, 0) & streamMask;
  // A stream that is given up does not finish its message.
  if (type === resetType) scanner.openMessages.delete(number);
  if (type !== dataType || bytes === 0) {
    scanner.skipBytes = bytes;
    return;
  }
  const padded = (flags & paddedFlag) !== 0;
  scanner.data = { stream: number, missingBytes: bytes, padBytes: 0, padded, padKnown: false };
}

type DataFrame = NonNullable<MessageScanner['data']>;

interface Step {
  readonly bytes: number;
  /** A message ended with them. */
  readonly complete: boolean;
}

function readData(scanner: MessageScanner, data: DataFrame, chunk: Uint8Array, at: number): Step {
  if (data.padded && !data.padKnown) {
    data.padKnown = true;
    data.padBytes = chunk[at] ?? 0;
    data.missingBytes -= 1 + data.padBytes;
    closeFrame(scanner, data);
    return { bytes: 1, complete: false };
  }
  const message = scanner.openMessages.get(data.stream) ?? { prefix: [], missingBytes: undefined };
  scanner.openMessages.set(data.stream, message);
  const bytes = readMessage(message, chunk, at, data.missingBytes);
  data.missingBytes -= bytes;
  const complete = message.missingBytes === 0;
  if (complete) scanner.openMessages.delete(data.stream);
  closeFrame(scanner, data);
  return { bytes, complete };
}

function readMessage(message: OpenMessage, chunk: Uint8Array, at: number, bytesMax: number): number {
  if (message.missingBytes !== undefined) {
    const bytes = Math.min(message.missingBytes, bytesMax, chunk.length - at);
    message.missingBytes -= bytes;
    return bytes;
  }
  message.prefix.push(chunk[at] ?? 0);
  if (message.prefix.length === messagePrefixBytes) {
    message.missingBytes = message.prefix.slice(1).reduce((value, part) => value * 256 + part, 0);
  }
  return 1;
}

function closeFrame(scanner: MessageScanner, data: DataFrame): void {
  if (data.missingBytes > 0) return;
  scanner.data = undefined;
  scanner.skipBytes = data.padBytes;
}
