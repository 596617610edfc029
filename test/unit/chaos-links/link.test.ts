/** Every state of a link between real sockets and a plain echo server. */
import { createServer } from 'node:net';
import { laneBytesMax } from '@balsa/chaos/links/lane.ts';
import { connectionsMax, type Link } from '@balsa/chaos/links/link.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { closeAll, dial, type Echo, startEcho, startLink, until } from './echo.ts';

let echo: Echo;
let link: Link;
beforeEach(async () => {
  echo = await startEcho();
  link = await startLink(echo.address);
});
afterEach(closeAll);

/** What goes in afterwards comes back; so everything sent before has had its chance. */
async function echoes(text: string): Promise<void> {
  const client = await dial(link.address);
  client.socket.write(text);
  await until(`the echo of ${text}`, () => client.text() === text);
}

/** A reset on arrival may come before or after the client believes to be connected. */
async function expectRefused(): Promise<void> {
  const client = await dial(link.address).catch((error: NodeJS.ErrnoException) => error.code);
  if (typeof client === 'object') await until('a reset', () => client.end() === 'reset');
  else expect(client).toBe('ECONNRESET');
}

describe('open', () => {
  test('bytes pass in both directions, unchanged, and are counted', async () => {
    const client = await dial(link.address);
    const sent = 'hello '.repeat(100_000);
    client.socket.write(sent);
    await until('the echo', () => client.bytes() === sent.length);
    expect(client.text()).toBe(sent);
    const { upstream, downstream, connections, open, resets, refused } = link.counts();
    expect({ connections, open, resets, refused }).toEqual({ connections: 1, open: 1, resets: 0, refused: 0 });
    for (const counts of [upstream, downstream]) {
      expect(counts).toMatchObject({ receivedBytes: sent.length, forwardedBytes: sent.length, swallowedBytes: 0, heldBytes: 0 });
    }
  });

  test('a fin passes, the answer to it still comes back, and nothing is left', async () => {
    const client = await dial(link.address);
    client.socket.end('last words');
    await until('the end', () => client.end() === 'fin');
    expect(client.text()).toBe('last words');
    client.socket.destroy();
    await until('an empty link', () => link.counts().open === 0);
    expect(link.counts().resets).toBe(0);
  });

  test('a reset passes to the other side, whoever sends it', async () => {
    const first = await dial(link.address);
    await until('a connection', () => echo.sockets.size === 1);
    const [atServer] = echo.sockets;
    let seen = '';
    atServer!.on('error', (error: NodeJS.ErrnoException) => (seen = error.code ?? ''));
    first.socket.resetAndDestroy();
    await until('a reset at the server', () => seen === 'ECONNRESET');
    const second = await dial(link.address);
    await until('another connection', () => echo.sockets.size === 1);
    for (const socket of echo.sockets) socket.resetAndDestroy();
    await until('a reset at the client', () => second.end() === 'reset');
    await until('an empty link', () => link.counts().open === 0);
  });

  test('a slow close: the target is gone, and the client sends into nothing until it learns of it', async () => {
    const client = await dial(link.address);
    client.socket.write('before');
    await until('the echo', () => client.text() === 'before');
    const undo = link.impair({ endDelayMs: 60_000 }, 'downstream');
    expect(link.resetTarget()).toBe(1);
    await until('an end at the target', () => echo.sockets.size === 0);
    client.socket.write('after');
    await until('lost bytes', () => link.counts().upstream.undeliverableBytes === 'after'.length);
    expect({ end: client.end(), late: link.counts().lateEnds }).toEqual({ end: 'none', late: 0 });
    await echoes('others are not concerned');
    undo();
    await until('the end', () => client.end() === 'reset');
    expect(link.resetTarget()).toBe(1);
  });

  test('an end that was held up is counted when it arrives', async () => {
    const client = await dial(link.address);
    await until('a connection', () => echo.sockets.size === 1);
    link.impair({ endDelayMs: 50 }, 'downstream');
    link.resetTarget();
    await until('the end', () => client.end() === 'reset');
    expect(link.counts().lateEnds).toBe(1);
    await until('an empty link', () => link.counts().open === 0);
  });

  test('a target that is not there resets the client', async () => {
    const gone = createServer().listen(0, '127.0.0.1');
    await until('a port', () => gone.address() !== null);
    const { port } = gone.address() as { port: number };
    await new Promise((resolve) => gone.close(resolve));
    const deaf = await startLink(`127.0.0.1:${port}`);
    const client = await dial(deaf.address);
    await until('a reset', () => client.end() === 'reset');
    expect(deaf.counts().dialsFailed).toBe(1);
    await until('an empty link', () => deaf.counts().open === 0);
  });
});

describe('refuse', () => {
  test('new connections are reset, existing ones go on, and the port stays', async () => {
    const before = await dial(link.address);
    await until('a connection', () => link.counts().open === 1);
    link.refuse();
    await expectRefused();
    before.socket.write('still here');
    await until('the echo', () => before.text() === 'still here');
    expect(link.counts()).toMatchObject({ refused: 1, connections: 1, open: 1 });
    link.heal();
    await echoes('again');
  });

  test(`more than ${connectionsMax} connections at a time are reset`, async () => {
    const clients = [];
    for (let i = 0; i < connectionsMax; i += 1) clients.push(await dial(link.address));
    await until('all of them', () => link.counts().open === connectionsMax);
    await expectRefused();
    expect(link.counts()).toMatchObject({ open: connectionsMax, refused: 1 });
    link.reset();
    await echoes('room again');
  });
});

describe('cut', () => {
  test('both ways: bytes and the end are swallowed, the connection stays; healing resets what has a hole', async () => {
    const wounded = await dial(link.address);
    const idle = await dial(link.address);
    await until('both', () => echo.sockets.size === 2);
    link.impair({ delivery: 'swallow' });
    wounded.socket.write('into the void');
    await until('swallowed bytes', () => link.counts().upstream.swallowedBytes === 13);
    wounded.socket.end();
    for (const socket of echo.sockets) socket.write('nor back');
    await until('swallowed bytes', () => link.counts().downstream.swallowedBytes === 16);
    // The server has neither seen a byte nor an end of anything.
    expect(echo.received()).toBe(0);
    expect(echo.sockets.size).toBe(2);
    expect([wounded.end(), idle.end(), idle.bytes()]).toEqual(['none', 'none', 0]);
    link.heal();
    await until('resets', () => wounded.end() === 'reset' && idle.end() === 'reset');
    expect(link.counts()).toMatchObject({ resets: 2, upstream: { swallowedBytes: 13, forwardedBytes: 0 } });
    await echoes('whole');
  });

  test('a connection that lost nothing survives the cut', async () => {
    const idle = await dial(link.address);
    await until('a connection', () => echo.sockets.size === 1);
    link.impair({ delivery: 'swallow' });
    link.heal();
    idle.socket.write('unharmed');
    await until('the echo', () => idle.text() === 'unharmed');
    expect(link.counts().resets).toBe(0);
  });

  test.each([
    ['upstream', 0, 0],
    ['downstream', 4, 4],
  ] as const)('%s only: the other direction goes on', async (direction, seenByServer, swallowedBack) => {
    const client = await dial(link.address);
    await until('a connection', () => echo.sockets.size === 1);
    link.impair({ delivery: 'swallow' }, direction);
    client.socket.write('ping');
    await until('swallowed bytes', () => link.counts()[direction].swallowedBytes === 4);
    for (const socket of echo.sockets) socket.write('unasked');
    if (direction === 'upstream') await until('what the server says', () => client.text() === 'unasked');
    else await until('more swallowed bytes', () => link.counts().downstream.swallowedBytes === 11);
    expect(echo.received()).toBe(seenByServer);
    expect(link.counts().downstream.swallowedBytes).toBe(swallowedBack === 0 ? 0 : 11);
  });

  test('a receiver that does not read does not keep a cut from taking effect', async () => {
    const client = await dial(link.address);
    await until('a connection', () => echo.sockets.size === 1);
    for (const socket of echo.sockets) socket.pause();
    const sent = Buffer.alloc(24 * 1024 * 1024);
    client.socket.write(sent);
    await until('a full lane', () => link.counts().upstream.heldBytes >= laneBytesMax);
    link.impair({ delivery: 'swallow' });
    await until('all taken', () => link.counts().upstream.receivedBytes === sent.length);
    expect(link.counts().upstream.heldBytes).toBe(0);
  });

  test('when both sides have given up, the cut keeps nothing', async () => {
    const client = await dial(link.address);
    await until('a connection', () => echo.sockets.size === 1);
    link.impair({ delivery: 'swallow' });
    client.socket.destroy();
    for (const socket of echo.sockets) socket.end();
    await until('an empty link', () => link.counts().open === 0);
  });
});

describe('clog', () => {
  test('holds bytes and ends, and releases them in order', async () => {
    const client = await dial(link.address);
    link.impair({ delivery: 'hold' }, 'upstream');
    client.socket.write('one ');
    await until('held bytes', () => link.counts().upstream.heldBytes === 4);
    client.socket.end('two');
    await until('more held bytes', () => link.counts().upstream.heldBytes === 7);
    expect(echo.received()).toBe(0);
    expect(echo.sockets.size).toBe(1);
    link.heal();
    await until('the end', () => client.end() === 'fin');
    expect(client.text()).toBe('one two');
    expect(link.counts()).toMatchObject({ resets: 0, upstream: { heldBytes: 0, delayedBytes: 7 } });
  });

  test('is bounded: beyond the limit the sender has to wait, and nothing is lost', async () => {
    const client = await dial(link.address);
    link.impair({ delivery: 'hold' }, 'upstream');
    const sent = Buffer.alloc(32 * 1024 * 1024, 'abc');
    let written = false;
    client.socket.write(sent, () => (written = true));
    await until('a full lane', () => link.counts().upstream.heldBytes >= laneBytesMax);
    // One chunk of a socket may arrive after the lane was found full.
    expect(link.counts().upstream.heldBytes).toBeLessThan(laneBytesMax + 64 * 1024 + 1);
    expect(written).toBe(false);
    link.heal();
    await until('everything', () => echo.received() === sent.length);
  });

  test('becomes a cut: what was held is swallowed', async () => {
    const client = await dial(link.address);
    link.impair({ delivery: 'hold' });
    client.socket.write('held');
    await until('held bytes', () => link.counts().upstream.heldBytes === 4);
    link.impair({ delivery: 'swallow' });
    expect(link.counts().upstream).toMatchObject({ heldBytes: 0, swallowedBytes: 4 });
  });
});

describe('delay and throttle', () => {
  test('bytes come later by the delay, in order under jitter, and at once when it is over', async () => {
    const client = await dial(link.address);
    link.impair({ delayMs: 60, jitterMs: 50 }, 'downstream');
    const startMs = performance.now();
    const words = Array.from({ length: 40 }, (_, i) => `${i} `);
    for (const word of words) {
      client.socket.write(word);
      await until('it arrived', () => link.counts().downstream.receivedBytes >= words.slice(0, words.indexOf(word) + 1).join('').length);
    }
    await until('all', () => client.text() === words.join(''));
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(10);
    link.impair({ delayMs: 3_600_000, jitterMs: 0 }, 'downstream');
    client.socket.write('late');
    await until('delayed bytes', () => link.counts().downstream.heldBytes === 4);
    link.heal();
    await until('the rest', () => client.text().endsWith('late'));
  });

  test('a fixed delay is kept', async () => {
    const client = await dial(link.address);
    link.impair({ delayMs: 80 });
    const startMs = performance.now();
    client.socket.write('there and back');
    await until('the echo', () => client.text() === 'there and back');
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(158);
  });

  test('a rate is kept over all connections of the link', async () => {
    const clients = await Promise.all([dial(link.address), dial(link.address)]);
    const bytesPerSecond = 200_000;
    link.impair({ bytesPerSecond }, 'upstream');
    const startMs = performance.now();
    for (const client of clients) client.socket.write(Buffer.alloc(50_000));
    await until('all of it', () => clients.every((client) => client.bytes() === 50_000));
    // What may pass at once is 50 ms worth of the rate.
    expect(performance.now() - startMs).toBeGreaterThan((100_000 / bytesPerSecond) * 1000 - 50 - 5);
    expect(link.counts().upstream.delayedBytes).toBeGreaterThan(0);
  });
});

describe('faults that overlap', () => {
  test('each ends by itself; what it did goes on as long as another does it', async () => {
    const client = await dial(link.address);
    await until('a connection', () => echo.sockets.size === 1);
    const healCut = link.impair({ delivery: 'swallow' });
    const healUpstream = link.impair({ delivery: 'swallow' }, 'upstream');
    const healRefusal = link.refuse();
    client.socket.write('lost');
    await until('swallowed bytes', () => link.counts().upstream.swallowedBytes === 4);
    healCut();
    healCut();
    expect(link.state()).toMatchObject({
      admission: 'refuse',
      upstream: { delivery: 'swallow' },
      downstream: { delivery: 'forward' },
    });
    expect(client.end()).toBe('none');
    healUpstream();
    await until('a reset', () => client.end() === 'reset');
    await expectRefused();
    healRefusal();
    await echoes('whole');
  });

  test('what is healed with everything else can be healed again, without harm to what came later', async () => {
    const healCut = link.impair({ delivery: 'swallow' });
    link.heal();
    link.impair({ delivery: 'hold' });
    healCut();
    expect(link.state().upstream.delivery).toBe('hold');
  });

  test('delays add up', async () => {
    const client = await dial(link.address);
    link.impair({ delayMs: 40 }, 'upstream');
    const healMore = link.impair({ delayMs: 40 }, 'upstream');
    const startMs = performance.now();
    client.socket.write('slow');
    await until('the echo', () => client.bytes() === 4);
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(79);
    healMore();
    expect(link.state().upstream.delayMs).toBe(40);
  });
});

describe('reset', () => {
  test('ends every connection on both sides', async () => {
    const clients = await Promise.all([dial(link.address), dial(link.address)]);
    await until('both', () => echo.sockets.size === 2);
    expect(link.reset()).toBe(2);
    await until('resets', () => clients.every((client) => client.end() === 'reset') && echo.sockets.size === 0);
    expect(link.counts()).toMatchObject({ resets: 2, open: 0, connections: 2 });
    await echoes('next');
  });
});

describe('cut of the reply', () => {
  test('the request goes out whole, its reply does not come back, the others are left alone', async () => {
    const bystander = await dial(link.address);
    const client = await dial(link.address);
    await until('both', () => echo.sockets.size === 2);
    const cut = link.cutReply({ after: { bytes: 7 } });
    client.socket.write('request and more');
    expect(await cut).toEqual({ outcome: 'cut', forwardedBytes: 7, swallowedBytes: 7 });
    expect(echo.received()).toBe(7);
    await until('a reset', () => client.end() === 'reset');
    expect(client.bytes()).toBe(0);
    expect(link.counts()).toMatchObject({
      resets: 1,
      upstream: { forwardedBytes: 7 },
      downstream: { swallowedBytes: 7, forwardedBytes: 0 },
    });
    bystander.socket.write('untouched');
    await until('the echo', () => bystander.text() === 'untouched');
  });

  test('while the victim waits for its reply, others send and get answers', async () => {
    const choosy = await startEcho((socket, bytes) => bytes.toString() === 'request' || socket.write(bytes));
    const toChoosy = await startLink(choosy.address);
    const [victim, bystander] = [await dial(toChoosy.address), await dial(toChoosy.address)];
    const cut = toChoosy.cutReply({ after: { bytes: 7 } });
    victim.socket.write('request');
    await until('the request', () => choosy.received() === 7);
    bystander.socket.write('more than seven bytes');
    await until('the echo', () => bystander.text() === 'more than seven bytes');
    toChoosy.heal();
    expect(await cut).toEqual({ outcome: 'cancelled', forwardedBytes: 7, swallowedBytes: 0 });
  });

  test('a target that does not answer is not waited for longer than the grace period', async () => {
    const silent = await startEcho(() => undefined);
    const toSilent = await startLink(silent.address);
    const client = await dial(toSilent.address);
    const cut = toSilent.cutReply({ after: { bytes: 2 }, graceMs: 20 });
    client.socket.write('hi');
    expect(await cut).toEqual({ outcome: 'unanswered', forwardedBytes: 2, swallowedBytes: 0 });
    await until('a reset', () => client.end() === 'reset');
  });

  test('without a victim it expires, and so does one whose victim says too little', async () => {
    expect(await link.cutReply({ after: { bytes: 1 }, ttlMs: 5 })).toEqual({ outcome: 'expired', forwardedBytes: 0, swallowedBytes: 0 });
    const client = await dial(link.address);
    const cut = link.cutReply({ after: { bytes: 100 }, ttlMs: 500 });
    client.socket.write('too few');
    expect(await cut).toMatchObject({ outcome: 'expired', forwardedBytes: 7 });
    await until('a reset', () => client.end() === 'reset');
    await echoes('well');
  });

  test('a victim that ends by itself ends it; healing cancels one that has no victim', async () => {
    const client = await dial(link.address);
    await until('a connection', () => echo.sockets.size === 1);
    const cut = link.cutReply({ after: { bytes: 100 } });
    client.socket.write('too few');
    await until('them', () => echo.received() === 7);
    client.socket.resetAndDestroy();
    expect(await cut).toMatchObject({ outcome: 'unanswered', forwardedBytes: 7 });
    const second = link.cutReply({ after: { bytes: 1 } });
    link.heal();
    expect(await second).toEqual({ outcome: 'cancelled', forwardedBytes: 0, swallowedBytes: 0 });
    await echoes('well');
  });
});

describe('close', () => {
  test.each(['forward', 'hold', 'swallow'] as const)('under %s nothing is left, not a socket and not the port', async (delivery) => {
    const clients = await Promise.all([dial(link.address), dial(link.address), dial(link.address)]);
    await until('all', () => echo.sockets.size === 3);
    link.impair({ delivery, delayMs: 5_000 });
    for (const client of clients) client.socket.write('on the way');
    await until('bytes', () => link.counts().upstream.receivedBytes === 30);
    await link.close();
    await until('no connection at the server', async () => (await echo.connections()) === 0);
    await until('no connection at the clients', () => clients.every((client) => client.socket.destroyed));
    expect(link.counts()).toMatchObject({ open: 0, upstream: { heldBytes: 0 } });
    await expect(dial(link.address)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await link.close();
  });
});
