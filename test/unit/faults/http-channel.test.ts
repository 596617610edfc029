/** The control channel: who may use it, what it takes, what it says. */
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { networkInterfaces } from 'node:os';
import { createFaultControl } from '@balsa/node/faults/control.ts';
import type { Loss } from '@balsa/node/faults/command.ts';
import { httpChannel } from '@balsa/node/faults/http-channel.ts';
import { createHttpEdge, type HttpEdge } from '@balsa/node/edges/http/http-server.ts';
import { faultControl, FaultRefused } from '@balsa/chaos/faults/fault-control.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLog } from '../../sim/world/silent-log.ts';
import { createFaultyDisk, type FaultyDisk } from './faulty-disk.ts';

let it: FaultyDisk;
let edge: HttpEdge;
let port = 0;
let losses: Loss[] = [];

async function listen(withFaults: boolean, host = '127.0.0.1'): Promise<void> {
  const { board, points, shim, clock, folder } = it;
  const failPower = async (loss: Loss) => {
    losses.push(loss);
    throw new Error('not in this process');
  };
  const control = createFaultControl({ board, points, shim, clock, dataFolder: folder, failPower, log: silentLog });
  edge = createHttpEdge({
    checks: () => [],
    metrics: async () => ({ contentType: 'text/plain', text: '' }),
    onUnexpected: () => undefined,
    faults: withFaults ? httpChannel(control) : undefined,
  });
  port = await edge.listen(host, 0);
}

beforeEach(() => {
  it = createFaultyDisk();
  losses = [];
});
afterEach(async () => {
  await edge.stop();
  await it.clean();
});

const json = { 'content-type': 'application/json' };

async function send(method: string, body?: string, headers: Record<string, string> = json) {
  const response = await fetch(`http://127.0.0.1:${port}/faults`, { method, headers, ...(body !== undefined && { body }) });
  return { status: response.status, text: await response.text() };
}

test('without the flag the page does not exist, whatever the method', async () => {
  await listen(false);
  for (const method of ['GET', 'POST', 'DELETE']) expect(await send(method)).toMatchObject({ status: 404 });
});

describe('with the flag', () => {
  beforeEach(() => listen(true));

  test('a fault is armed, described, healed', async () => {
    const faults = faultControl(`127.0.0.1:${port}`);
    const armed = await faults.apply({ fault: 'slow-disk', delayMs: 5, ttlMs: 1000 });
    expect(armed).toMatchObject({ id: 1, fault: 'slow-disk', files: '', leftMs: 1000, struck: 0 });
    it.clock.advance(400);
    await faults.apply({ fault: 'sync-error', times: 3 });
    expect(await faults.describe()).toMatchObject({
      pid: process.pid,
      active: [
        { id: 1, leftMs: 600 },
        { id: 2, times: 3 },
      ],
      ended: [],
      unsynced: { bytes: 0, files: 0, names: 0 },
    });
    expect(await faults.heal(1)).toBe(1);
    expect(await faults.heal()).toBe(1);
    expect(await faults.heal()).toBe(0);
    expect(await faults.describe()).toMatchObject({ active: [], ended: [{ id: 1 }, { id: 2 }] });
  });

  test('commands that do not last answer with what they did', async () => {
    const faults = faultControl(`127.0.0.1:${port}`);
    const file = await it.create('1.segment', 'abc');
    await file.datasync();
    const { position, before, after } = await faults.apply({ fault: 'bit-flip', position: 1 });
    expect([position, before]).toEqual([1, 'b'.charCodeAt(0)]);
    expect(readFileSync(it.path('1.segment'))[1]).toBe(after);
    expect((await faults.apply({ fault: 'block', ms: 20 })).blockedMs).toBe(0);
  });

  test('what cannot be done is refused with the reason', async () => {
    const faults = faultControl(`127.0.0.1:${port}`);
    const refused = (command: unknown) => faults.apply(command as { readonly fault: 'heal' }).catch((error: unknown) => error);
    expect(await refused({ fault: 'bit-flip' })).toMatchObject({ status: 409, message: expect.stringContaining('no file below') });
    expect(await refused({ fault: 'slow-disc', delayMs: 1 })).toMatchObject({ status: 400, message: expect.stringContaining('fault') });
    expect(await refused({ fault: 'slow-disk' })).toMatchObject({ status: 400, message: expect.stringContaining('delayMs') });
    expect(await refused({ fault: 'heal', ids: 1 })).toMatchObject({ status: 400, message: expect.stringContaining('ids') });
    expect(await refused({ fault: 'heal' })).not.toBeInstanceOf(FaultRefused);
    for (let i = 0; i < 100; i++) await faults.apply({ fault: 'sync-error' });
    expect(await refused({ fault: 'sync-error' })).toMatchObject({ status: 409, message: expect.stringContaining('heal some first') });
    expect(losses).toEqual([]);
  });

  test('a request must be JSON, of a length that is known and bounded', async () => {
    expect(await send('POST', '{"fault":')).toMatchObject({ status: 400, text: expect.stringContaining('not JSON') });
    expect(await send('POST', '{"fault":"heal"}', { 'content-type': 'text/plain' })).toMatchObject({ status: 415 });
    expect(await send('POST', JSON.stringify({ fault: 'heal', pad: 'x'.repeat(16 * 1024) }))).toMatchObject({ status: 413 });
    expect(await send('PUT', '{"fault":"heal"}')).toMatchObject({ status: 405 });
    expect(await sendChunked('{"fault":"heal"}')).toBe(411);
    expect(await send('POST', '{"fault":"heal"}')).toMatchObject({ status: 200 });
  });
});

function sendChunked(body: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sending = request({ host: '127.0.0.1', port, path: '/faults', method: 'POST', headers: json }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sending.on('error', reject);
    sending.write(body);
    sending.end(' ');
  });
}

/** Of this machine, if it has one that is not loopback. */
const outside = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

test.runIf(outside !== undefined)('only this machine is answered', async () => {
  await listen(true, outside);
  const response = await fetch(`http://${outside}:${port}/faults`);
  expect(response.status).toBe(403);
  expect(await response.text()).toContain('this machine only');
});
