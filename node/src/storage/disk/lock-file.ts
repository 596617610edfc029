/**
 * An exclusive lock that ends with the process, without a native call for it.
 *
 * The lock is a Unix domain socket that its owner listens on: the kernel refuses
 * connections to it from the moment when the owner is gone, however it went, in any pid
 * namespace. Taking it: listen under a private name, then give the socket its public
 * name by a hard link, which fails if the name is there. If nobody listens behind an
 * existing name it is moved away (and looked at again under its new name, so that two
 * processes that clean up at the same time cannot both win), and the link is tried again.
 */
import { randomBytes } from 'node:crypto';
import { link, open, rename, unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { basename, dirname } from 'node:path';
import { DiskError } from '../../ports/disk.ts';

const attemptsMax = 5;

export async function lockFile(path: string): Promise<{ readonly release: () => Promise<void> }> {
  // Socket addresses are limited to about 100 bytes: address the folder by its descriptor.
  const folder = await open(dirname(path), 'r');
  try {
    const base = process.platform === 'linux' ? `/proc/self/fd/${folder.fd}` : dirname(path);
    const name = `${base}/${basename(path)}`;
    const own = `${name}.${randomBytes(6).toString('hex')}`;
    const server = await listen(own);
    try {
      await claim(own, name, path);
    } catch (error) {
      await closeServer(server);
      throw error;
    } finally {
      await unlink(own).catch(() => undefined);
    }
    return { release: () => release(server, path) };
  } finally {
    await folder.close();
  }
}

async function claim(own: string, name: string, path: string): Promise<void> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    try {
      await link(own, name);
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    if (await isOwned(name)) throw locked(path);
    const stale = `${own}.stale`;
    await rename(name, stale).catch(() => undefined);
    if (await isOwned(stale)) {
      await link(stale, name).catch(() => undefined);
      await unlink(stale).catch(() => undefined);
      throw locked(path);
    }
    await unlink(stale).catch(() => undefined);
  }
  throw locked(path);
}

const locked = (path: string): DiskError => new DiskError('ELOCKED', `${path} is held by another process`);

async function release(server: Server, path: string): Promise<void> {
  await unlink(path).catch(() => undefined);
  await closeServer(server);
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', reject);
    server.listen(path, () => {
      // Holding a lock must not keep a process alive that has nothing else to do.
      server.unref();
      resolve(server);
    });
  });
}

const closeServer = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

/** Whether a process listens at `path`. */
function isOwned(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
