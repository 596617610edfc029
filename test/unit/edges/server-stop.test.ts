/** A server that stops does not wait for clients that do not let go: paused ones, or ones that are out of reach. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type EdgeFixture, startEdge } from './edge-fixture.ts';

const openingOfHttp2 = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])]);
/** What the fixture grants calls under way, and what a test machine is late by. */
const stopMsMax = 5_000;

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** Says this, and then neither reads nor ends. */
async function silentClient({ address }: EdgeFixture, firstWords: Buffer): Promise<Socket> {
  const [host, port] = address.split(':');
  const socket = connect({ host: host!, port: Number(port), allowHalfOpen: true });
  sockets.push(socket);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(firstWords);
  return socket;
}

test.each([
  ['says nothing', Buffer.alloc(0)],
  ['has opened a session', openingOfHttp2],
])('a client that %s and does not read any more', async (_, firstWords) => {
  const edge = await startEdge();
  await silentClient(edge, firstWords);
  // Others have been served since it came.
  await new Promise<void>((resolve, reject) => {
    edge.data.waitForReady(Date.now() + stopMsMax, (error) => (error === undefined ? resolve() : reject(error)));
  });
  const startMs = performance.now();
  await edge.close();
  expect(performance.now() - startMs).toBeLessThan(stopMsMax);
});
