/** The shim really changes what a client may send before it is answered. */
import { type ClientHttp2Session, connect } from 'node:http2';
import { openServerWindow } from '@balsa/node/transport/server-window.ts';
import { Server } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { listen, until } from '../../contract/harness/grpc-node.ts';

const mib = 1024 * 1024;
const cleanups: (() => void)[] = [];

afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function openSession(prepare: (server: Server) => void): Promise<ClientHttp2Session> {
  const server = new Server();
  prepare(server);
  const port = await listen(server);
  const session = connect(`http://127.0.0.1:${port}`);
  cleanups.push(() => {
    session.destroy();
    server.forceShutdown();
  });
  await new Promise((resolve) => session.once('remoteSettings', resolve));
  return session;
}

describe('server window', () => {
  it('is 64 KiB as grpc-js serves it', async () => {
    const session = await openSession(() => undefined);
    expect(session.remoteSettings.initialWindowSize).toBe(65535);
    expect(session.state.remoteWindowSize).toBe(65535);
  });

  it('is what was asked for, per stream and per connection', async () => {
    const session = await openSession((server) => openServerWindow(server, 8 * mib));
    await until(() => session.remoteSettings.initialWindowSize === 8 * mib && session.state.remoteWindowSize === 8 * mib);
  });

  it('fails loudly if grpc-js has changed', () => {
    const stranger = { addService: () => undefined } as unknown as Server;
    expect(() => openServerWindow(stranger, mib)).toThrow('createHttp2Server');
  });
});
