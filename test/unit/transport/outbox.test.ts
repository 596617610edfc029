/** The bounded queue between `send` and a stream, with a stream that the test drains by hand. */
import { attachStream, createOutbox, detachStream, enqueue, type FrameStream, makeRoom } from '@balsa/node/transport/outbox.ts';
import { describe, expect, it } from 'vitest';

interface HandStream extends FrameStream {
  readonly written: number[];
  /** The operating system takes the oldest frame that it was given. */
  readonly take: () => void;
}

function handStream(): HandStream {
  const written: number[] = [];
  const pending: (() => void)[] = [];
  return {
    written,
    write: (frame, done) => {
      written.push(frame[0]!);
      pending.push(done);
    },
    end: () => undefined,
    take: () => pending.shift()?.(),
  };
}

const frame = (mark: number, bytes = 10): Uint8Array => new Uint8Array(bytes).fill(mark);
const bounds = { queueBytesMax: 100, writingBytesMax: 20 };

describe('outbox', () => {
  it('hands out no more than its writing bound, in order, and refills as frames are taken', () => {
    const outbox = createOutbox(bounds);
    const stream = handStream();
    attachStream(outbox, stream, frame(0));
    for (let mark = 1; mark < 6; mark++) enqueue(outbox, frame(mark));
    expect(stream.written).toEqual([0, 1]);
    expect(outbox.queuedBytes).toBe(60);
    stream.take();
    expect(stream.written).toEqual([0, 1, 2]);
    for (let taken = 0; taken < 5; taken++) stream.take();
    expect(stream.written).toEqual([0, 1, 2, 3, 4, 5]);
    expect(outbox).toMatchObject({ queuedBytes: 0, writingBytes: 0, framesSent: 6, bytesSent: 60 });
  });

  it('refuses what does not fit, unless the queue is empty', () => {
    const outbox = createOutbox(bounds);
    const stream = handStream();
    outbox.stream = stream;
    expect(makeRoom(outbox, 500)).toBe(true);
    enqueue(outbox, frame(1, 90));
    expect(makeRoom(outbox, 10)).toBe(true);
    expect(makeRoom(outbox, 11)).toBe(false);
    expect(outbox).toMatchObject({ framesOverflowed: 1, overflowing: true });
    stream.take();
    expect(makeRoom(outbox, 500)).toBe(true);
    expect(outbox.overflowing).toBe(false);
  });

  it('never gives frames of one stream to the next, nor lets its late answers count', () => {
    const outbox = createOutbox(bounds);
    const [earlier, later] = [handStream(), handStream()];
    attachStream(outbox, earlier, frame(0));
    for (let mark = 1; mark < 5; mark++) enqueue(outbox, frame(mark));
    expect(detachStream(outbox, later)).toBe(false);
    expect(detachStream(outbox, earlier)).toBe(true);
    expect(outbox.queuedBytes).toBe(0);
    attachStream(outbox, later, frame(9));
    earlier.take();
    expect(later.written).toEqual([9]);
    expect(outbox.queuedBytes).toBe(10);
  });

  it('keeps its order and its memory over a long backlog', () => {
    const outbox = createOutbox({ queueBytesMax: 1e9, writingBytesMax: 1 });
    const stream = handStream();
    attachStream(outbox, stream, frame(0));
    for (let mark = 1; mark < 5000; mark++) enqueue(outbox, frame(mark % 251));
    for (let taken = 0; taken < 5000; taken++) {
      stream.take();
      enqueue(outbox, frame((5000 + taken) % 251));
      expect(outbox.waiting.length).toBeLessThan(7000);
    }
    expect(stream.written).toEqual(Array.from({ length: stream.written.length }, (_, mark) => mark % 251));
  });
});
