/** Streams that break off inside a frame, and GOAWAY: pure, between real sockets, and with a real HTTP/2 server and client. */
import { type ClientHttp2Session, connect as connectHttp2, createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createMessageScanner, isBetweenFrames, scan } from '@balsa/chaos/links/grpc-messages.ts';
import { goAwayFrame, slippedIn, truncated } from '@balsa/chaos/links/interruption.ts';
import { resetSocket } from '@balsa/chaos/links/connection.ts';
import { openLink } from '@balsa/chaos/links/link.ts';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { closeAll, dial, startEcho, startLink, until } from './echo.ts';
import { data, headers, message, windowUpdate } from './http2-frames.ts';

afterEach(closeAll);

describe('where an interruption strikes', () => {
  test('a chunk goes out but for its last byte; a single byte cannot be broken', () => {
    expect(truncated({ kind: 'truncate' }, 100)).toBe(99);
    expect(truncated({ kind: 'truncate' }, 1)).toBeUndefined();
    expect(truncated({ kind: 'go-away', code: 'no-error' }, 100)).toBeUndefined();
    expect(truncated(undefined, 100)).toBeUndefined();
  });

  test('a GOAWAY goes out between frames only, whatever the pieces that they come in', () => {
    const frames = [headers(1), data(1, message(40)), windowUpdate(), data(3, message(7))];
    const ends = new Set(frames.map((_, i) => Buffer.concat(frames.slice(0, i + 1)).length));
    const bytes = Buffer.concat(frames);
    const scanner = createMessageScanner('downstream');
    for (const [i] of bytes.entries()) {
      scan(scanner, bytes.subarray(i, i + 1));
      expect(isBetweenFrames(scanner)).toBe(ends.has(i + 1));
      const frame = slippedIn({ kind: 'go-away', code: 'internal-error' }, scanner);
      expect(frame).toEqual(ends.has(i + 1) ? goAwayFrame('internal-error') : undefined);
    }
    expect(slippedIn({ kind: 'go-away', code: 'no-error' }, undefined)).toBeUndefined();
    expect(slippedIn({ kind: 'truncate' }, createMessageScanner('downstream'))).toBeUndefined();
  });
});

describe('truncate', () => {
  test('the stream ends in order without its last byte, its source is told, others go on', async () => {
    const echo = await startEcho();
    const link = await startLink(echo.address);
    const client = await dial(link.address);
    client.socket.write('before');
    await until('the echo', () => client.text() === 'before');
    link.interrupt({ kind: 'truncate' }, 'downstream');
    const other = await dial(link.address);
    client.socket.write('after');
    await until('the end', () => client.end() === 'fin');
    expect(client.text()).toBe('beforeafte');
    other.socket.write('untouched');
    await until('the echo', () => other.text() === 'untouched');
    await until('the end of the source', () => echo.sockets.size === 1);
    expect(link.counts()).toMatchObject({ truncations: 1, downstream: { undeliverableBytes: 1 } });
    client.socket.destroy();
    await until('one connection', () => link.counts().open === 1);
  });

  test('a socket whose end is on its way is closed by a reset', async () => {
    const handles = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
    await until('nothing of other tests is open', () => handles() === 0);
    const echo = await startEcho();
    const client = await dial(echo.address);
    await until('the connection', () => echo.sockets.size === 1);
    const accepted = [...echo.sockets][0]!;
    accepted.end();
    resetSocket(accepted);
    client.socket.destroy();
    await until('nothing is open', () => handles() === 0);
  });

  test('requests break off in the other direction', async () => {
    const echo = await startEcho();
    const link = await startLink(echo.address);
    const client = await dial(link.address);
    link.interrupt({ kind: 'truncate' }, 'upstream');
    client.socket.write('request');
    await until('what is left of it', () => echo.received() === 'reques'.length);
    await until('the end of the client', () => client.end() !== 'none');
    expect(link.counts().truncations).toBe(1);
  });

  test('what has not struck when it is over does not strike', async () => {
    const link = await startLink((await startEcho()).address);
    const client = await dial(link.address);
    client.socket.write('before');
    await until('the echo', () => client.text() === 'before');
    link.interrupt({ kind: 'truncate' }, 'downstream')();
    link.interrupt({ kind: 'truncate' }, 'upstream');
    link.heal();
    client.socket.write(' after');
    await until('the echo', () => client.text() === 'before after');
    expect(link.counts().truncations).toBe(0);
  });
});

describe('GOAWAY', () => {
  /** A server that answers every request with its own body, a link to it, and a session through the link. */
  async function session(): Promise<{ client: ClientHttp2Session; link: Awaited<ReturnType<typeof openLink>>; codes: number[] }> {
    const server = createHttp2Server();
    server.on('stream', (stream: ServerHttp2Stream) => {
      stream.respond({ ':status': 200 });
      stream.pipe(stream);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const link = await startLink(`127.0.0.1:${(server.address() as AddressInfo).port}`, { protocol: 'grpc' });
    const client = connectHttp2(`http://${link.address}`);
    onTestFinished(() => {
      client.destroy();
      server.close();
    });
    const codes: number[] = [];
    client.on('goaway', (code) => codes.push(code));
    await once(client, 'connect');
    return { client, link, codes };
  }

  async function ask(client: ClientHttp2Session, text: string): Promise<string> {
    const stream = client.request({ ':method': 'POST' });
    stream.end(text);
    let answer = '';
    for await (const chunk of stream) answer += String(chunk);
    return answer;
  }

  test('a client finishes what it began, and takes no new request on that connection', async () => {
    const { client, link, codes } = await session();
    expect(await ask(client, 'one')).toBe('one');
    const open = client.request({ ':method': 'POST' });
    open.write('two');
    await once(open, 'data');
    link.interrupt({ kind: 'go-away', code: 'no-error' }, 'downstream');
    await until('the GOAWAY', () => codes.length > 0);
    expect(client.closed).toBe(true);
    open.end('three');
    const [rest] = (await once(open, 'data')) as [Buffer];
    expect(String(rest)).toBe('three');
    expect(new Set(codes)).toEqual(new Set([0]));
    expect(link.counts().goAways).toBe(1);
  });

  test('with an error the client gives everything up', async () => {
    const { client, link } = await session();
    const open = client.request({ ':method': 'POST' });
    open.write('two');
    await once(open, 'data');
    const failed = once(client, 'error').then(([error]: unknown[]) => String(error));
    open.on('error', () => undefined);
    link.interrupt({ kind: 'go-away', code: 'enhance-your-calm' }, 'downstream');
    expect(await failed).toContain('code 11');
    expect(link.counts().goAways).toBe(1);
  });
});
