/** What a reply cut lets out, whom it takes for its victim, and what it takes for an answer. */
import { createMessageScanner, type MessageScanner } from '@balsa/chaos/links/grpc-messages.ts';
import { createReplyCut, passRequest, swallowReply } from '@balsa/chaos/links/reply-cut.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { data, headers, message, windowUpdate, wire } from './http2-frames.ts';

/** One connection of a link that carries gRPC, whose preface has gone out already. */
const connection = (): { readonly up: MessageScanner; readonly down: MessageScanner } => ({
  up: createMessageScanner('downstream'),
  down: createMessageScanner('downstream'),
});

describe('by bytes', () => {
  test('exactly so many pass, over several chunks; then any byte is the reply', () => {
    const cut = createReplyCut({ after: { bytes: 7 } });
    expect(passRequest(cut, Buffer.from('four'), undefined)).toEqual({ passBytes: 4, messages: 0 });
    expect(cut.phase).toBe('sending');
    swallowReply(cut, Buffer.from('too early'), undefined);
    expect(cut.phase).toBe('sending');
    expect(passRequest(cut, Buffer.from('and more'), undefined)).toEqual({ passBytes: 3, messages: 0 });
    expect(cut.phase).toBe('waiting');
    expect(passRequest(cut, Buffer.from('nothing'), undefined)).toEqual({ passBytes: 0, messages: 0 });
    swallowReply(cut, Buffer.from('x'), undefined);
    expect(cut).toMatchObject({ phase: 'answered', forwardedBytes: 7, swallowedBytes: 10 });
  });
});

describe('by messages', () => {
  test('a connection that completes no message is no victim, and all it sends passes', () => {
    const cut = createReplyCut({ after: { messages: 1 } });
    const { up } = connection();
    const bytes = Buffer.concat([headers(1), windowUpdate(), data(1, message(50).subarray(0, 30))]);
    expect(passRequest(cut, bytes, up)).toEqual({ passBytes: bytes.length, messages: 0 });
    expect(cut).toMatchObject({ phase: 'armed', forwardedBytes: 0 });
  });

  test('the message that ends first makes the victim; what is behind it in the chunk stays', () => {
    const cut = createReplyCut({ after: { messages: 1 } });
    const { up } = connection();
    const allowed = data(1, message(20));
    const { passBytes, messages } = passRequest(cut, Buffer.concat([allowed, data(1, message(20))]), up);
    expect(messages).toBe(1);
    expect(passBytes).toBeGreaterThanOrEqual(allowed.length);
    expect(passBytes).toBeLessThanOrEqual(allowed.length + 9);
    expect(cut.phase).toBe('waiting');
    expect(passRequest(cut, message(30), up)).toEqual({ passBytes: 0, messages: 0 });
  });

  test('only what comes back on the stream of a request is its reply', () => {
    const cut = createReplyCut({ after: { messages: 2 } });
    const { up, down } = connection();
    passRequest(cut, Buffer.concat([data(1, message(5)), data(3, message(5))]), up);
    swallowReply(cut, Buffer.concat([windowUpdate(), data(7, message(100)), headers(1)]), down);
    expect(cut.phase).toBe('waiting');
    swallowReply(cut, data(3, message(5)), down);
    expect(cut.phase).toBe('waiting');
    swallowReply(cut, Buffer.concat([data(3, message(5)), data(1, message(5))]), down);
    expect(cut.phase).toBe('answered');
  });

  test('two requests on one stream have two replies, and one may come before the other goes out', () => {
    const cut = createReplyCut({ after: { messages: 2 } });
    const { up, down } = connection();
    passRequest(cut, data(1, message(5)), up);
    expect(cut.phase).toBe('sending');
    swallowReply(cut, data(1, message(5)), down);
    passRequest(cut, data(1, message(5)), up);
    expect(cut.phase).toBe('waiting');
    swallowReply(cut, data(1, message(5)), down);
    expect(cut.phase).toBe('answered');
  });

  test('two requests that are under way on one stream wait for two replies', () => {
    const cut = createReplyCut({ after: { messages: 2 } });
    const { up, down } = connection();
    passRequest(cut, data(1, Buffer.concat([message(5), message(5)])), up);
    swallowReply(cut, data(1, message(5)), down);
    expect(cut.phase).toBe('waiting');
    swallowReply(cut, data(1, message(5)), down);
    expect(cut.phase).toBe('answered');
  });

  test('of any connection in any chunks exactly so many messages pass, if it has them', () => {
    fc.assert(
      fc.property(
        wire,
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 4 }),
        ({ bytes, ends, direction }, chunkBytes, limit) => {
          const cut = createReplyCut({ after: { messages: limit } });
          const scanner = createMessageScanner(direction);
          let [passed, messages, stopped] = [0, 0, false];
          for (let at = 0; at < bytes.length && !stopped; at += chunkBytes) {
            const chunk = bytes.subarray(at, at + chunkBytes);
            const step = passRequest(cut, chunk, scanner);
            passed += step.passBytes;
            messages += step.messages;
            stopped = step.passBytes < chunk.length;
          }
          expect(messages).toBe(Math.min(limit, ends.length));
          expect(cut.phase).toBe(ends.length >= limit ? 'waiting' : ends.length > 0 ? 'sending' : 'armed');
          if (messages === limit) expect(passed).toBeGreaterThanOrEqual(ends[limit - 1]!.at);
          expect([...cut.awaited.values()].reduce((sum, count) => sum + count, 0)).toBe(messages);
        },
      ),
    );
  });
});
