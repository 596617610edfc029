/** Where gRPC messages end, however the bytes of the connection are cut into chunks. */
import { createMessageScanner, scan } from '@balsa/chaos/links/grpc-messages.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { data, headers, message, type MessageEnd, padded, preface, resetStream, type Wire, windowUpdate, wire } from './http2-frames.ts';

/** What is found, chunk by chunk: how many messages have ended at the end of each. */
function endsByChunk(chunks: readonly Uint8Array[], direction: 'upstream' | 'downstream'): readonly (readonly number[])[] {
  const scanner = createMessageScanner(direction);
  return chunks.map((chunk) => {
    const read = scan(scanner, chunk);
    expect(read.bytes).toBe(chunk.length);
    return read.ended;
  });
}

function expectedByChunk(chunks: readonly Uint8Array[], ends: readonly MessageEnd[]): readonly (readonly number[])[] {
  let from = 0;
  return chunks.map((chunk) => {
    const to = from + chunk.length;
    const here = ends.filter(({ at }) => at > from && at <= to).map(({ stream }) => stream);
    from = to;
    return here;
  });
}

function cutAt(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const cuts = [...new Set([0, ...places.map((place) => place % (bytes.length + 1)), bytes.length])].toSorted((a, b) => a - b);
  return cuts.slice(1).map((end, i) => bytes.subarray(cuts[i], end));
}

test('messages over frames, frames over messages, padding, and everything that is no data', () => {
  const [first, second] = [message(10), message(0)];
  const bytes = Buffer.concat([
    preface,
    headers(1),
    data(1, first.subarray(0, 3)),
    windowUpdate(),
    padded(1, first.subarray(3), 7),
    data(1, Buffer.concat([second, message(2), message(2).subarray(0, 4)])),
  ]);
  expect(scan(createMessageScanner('upstream'), bytes)).toEqual({ bytes: bytes.length, ended: [1, 1, 1] });
});

test('large messages in large frames', () => {
  const bytes = Buffer.concat([data(1, message(70_000)), data(3, Buffer.concat([message(300), message(0x01_02_03)]))]);
  const chunks = Array.from({ length: Math.ceil(bytes.length / 1_000) }, (_, i) => bytes.subarray(i * 1_000, (i + 1) * 1_000));
  const ends = [70_005 + 9, 70_005 + 9 + 9 + 305, bytes.length].map((at, i) => ({ at, stream: i === 0 ? 1 : 3 }));
  expect(endsByChunk(chunks, 'downstream')).toEqual(expectedByChunk(chunks, ends));
});

test('a stream that is reset in the middle of a message is forgotten', () => {
  const scanner = createMessageScanner('downstream');
  scan(scanner, Buffer.concat([data(1, message(10).subarray(0, 8)), resetStream(1)]));
  expect(scanner.openMessages.size).toBe(0);
});

describe('any connection', () => {
  test('cut at every single byte', () => {
    fc.assert(
      fc.property(wire, ({ bytes, ends, direction }) => {
        const chunks = Array.from({ length: bytes.length }, (_, i) => bytes.subarray(i, i + 1));
        expect(endsByChunk(chunks, direction)).toEqual(expectedByChunk(chunks, ends));
      }),
    );
  });

  test('cut in two, at every place', () => {
    fc.assert(
      fc.property(wire, ({ bytes, ends, direction }) => {
        for (let place = 0; place <= bytes.length; place += 1) {
          const chunks = [bytes.subarray(0, place), bytes.subarray(place)];
          expect(endsByChunk(chunks, direction)).toEqual(expectedByChunk(chunks, ends));
        }
      }),
      { numRuns: 25 },
    );
  });

  test('cut anywhere', () => {
    fc.assert(
      fc.property(wire, fc.array(fc.nat(), { maxLength: 20 }), ({ bytes, ends, direction }, places) => {
        const chunks = cutAt(bytes, places);
        expect(endsByChunk(chunks, direction)).toEqual(expectedByChunk(chunks, ends));
      }),
    );
  });

  test('with a limit it reads past the last allowed message, and not into the next one', () => {
    fc.assert(
      fc.property(wire, fc.array(fc.nat(), { maxLength: 20 }), fc.integer({ min: 1, max: 6 }), (connection, places, messagesMax) => {
        const { bytes, ends, direction } = connection;
        const scanner = createMessageScanner(direction);
        let [read, messages] = [0, 0];
        for (const chunk of cutAt(bytes, places)) {
          const step = scan(scanner, chunk, messagesMax - messages);
          read += step.bytes;
          messages += step.ended.length;
          if (step.bytes < chunk.length) break;
        }
        expect(messages).toBe(Math.min(messagesMax, ends.length));
        expect(read).toBe(limitOf(connection, messagesMax));
      }),
    );
  });
});

/** Where the first data behind the last allowed message begins. */
function limitOf({ bytes, ends, payloads }: Wire, messagesMax: number): number {
  const { at } = ends[messagesMax - 1] ?? { at: bytes.length };
  const next = payloads.find(({ to }) => to > at);
  return next === undefined ? bytes.length : Math.max(at, next.from);
}
