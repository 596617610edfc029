/**
 * Frames for one peer on one channel, between `send` and the peer's subscription.
 *
 * Invariants: frames leave in the order they were offered; `queuedBytes` counts every
 * frame that was accepted and not yet taken over by the operating system; a frame of an
 * earlier subscription is never written to a later one. The queue is bounded in bytes;
 * what does not fit is refused, except that an empty queue takes any frame, so that one
 * larger than the bound can pass at all.
 */
export interface FrameStream {
  /** `done` is called once the operating system has the frame, or never if the stream breaks. */
  readonly write: (frame: Uint8Array, done: () => void) => void;
  readonly end: () => void;
}

export interface Outbox {
  readonly queueBytesMax: number;
  readonly writingBytesMax: number;
  stream: FrameStream | undefined;
  /** Waiting frames from `head` on; those before it are gone. */
  waiting: (Uint8Array | undefined)[];
  head: number;
  queuedBytes: number;
  writingBytes: number;
  framesSent: number;
  bytesSent: number;
  framesOverflowed: number;
  /** A frame was refused since the last one was accepted. */
  overflowing: boolean;
}

/** Gone frames at the start of the queue are cut off when there are this many of them. */
const headMax = 1024;

export function createOutbox(bounds: { readonly queueBytesMax: number; readonly writingBytesMax: number }): Outbox {
  const counts = { framesSent: 0, bytesSent: 0, framesOverflowed: 0, overflowing: false };
  return { ...bounds, ...counts, stream: undefined, waiting: [], head: 0, queuedBytes: 0, writingBytes: 0 };
}

/** Frames offered from now on go to `stream`, after `first`. An earlier stream must be detached before. */
export function attachStream(outbox: Outbox, stream: FrameStream, first: Uint8Array): void {
  outbox.stream = stream;
  enqueue(outbox, first);
}

/** Forgets the stream and all that was queued for it; false if another one is attached by now. */
export function detachStream(outbox: Outbox, stream: FrameStream): boolean {
  if (outbox.stream !== stream) return false;
  outbox.stream = undefined;
  outbox.waiting = [];
  outbox.head = 0;
  outbox.queuedBytes = 0;
  outbox.writingBytes = 0;
  outbox.overflowing = false;
  return true;
}

/** Whether a frame of this size would be accepted; counts a refusal. */
export function makeRoom(outbox: Outbox, bytes: number): boolean {
  const fits = outbox.queuedBytes === 0 || outbox.queuedBytes + bytes <= outbox.queueBytesMax;
  if (!fits) outbox.framesOverflowed++;
  outbox.overflowing = !fits;
  return fits;
}

export function enqueue(outbox: Outbox, frame: Uint8Array): void {
  outbox.waiting.push(frame);
  outbox.queuedBytes += frame.length;
  pump(outbox);
}

function pump(outbox: Outbox): void {
  const { stream } = outbox;
  if (stream === undefined) return;
  while (outbox.head < outbox.waiting.length && outbox.writingBytes < outbox.writingBytesMax) {
    const frame = takeHead(outbox);
    outbox.writingBytes += frame.length;
    stream.write(frame, () => onWritten(outbox, stream, frame.length));
  }
}

function onWritten(outbox: Outbox, stream: FrameStream, bytes: number): void {
  if (outbox.stream !== stream) return;
  outbox.writingBytes -= bytes;
  outbox.queuedBytes -= bytes;
  outbox.framesSent++;
  outbox.bytesSent += bytes;
  pump(outbox);
}

function takeHead(outbox: Outbox): Uint8Array {
  const frame = outbox.waiting[outbox.head] ?? new Uint8Array();
  outbox.waiting[outbox.head++] = undefined;
  if (outbox.head === outbox.waiting.length || outbox.head > headMax) {
    outbox.waiting = outbox.waiting.slice(outbox.head);
    outbox.head = 0;
  }
  return frame;
}
