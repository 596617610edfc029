/**
 * Throughput of the node-to-node transport: one sender, one receiver process, loopback.
 *
 *   node test/bench/transport.ts [megabytes per run, default 2000]
 *
 * Entries travel as append requests of one entry in frames of one message, receiver-
 * dialled, with as many bytes queued as the default limits allow. `round trip` is a
 * control message and its answer while the bulk channel is saturated. The `raw` row is
 * the bound: the same subscription with ready-made messages, no codec and no queue
 * (DESIGN D6 measured 600..850 MB/s for it on an idle machine). Compare within one run.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { asNodeId } from '@balsa/node/core/ids.ts';
import { subscribeRequest } from '@balsa/node/transport/identity.ts';
import { defaultLimits } from '@balsa/node/transport/limits.ts';
import { peerServiceDefinition } from '@balsa/node/transport/peer-service.ts';
import { openSubscription } from '@balsa/node/transport/subscription.ts';
import type { SubscribeRequest } from '@balsa/proto/peer';
import { Server, type ServerWritableStream } from '@grpc/grpc-js';
import { listen, openGrpcNode, until } from '../contract/harness/grpc-node.ts';
import { append, heartbeat } from '../contract/harness/recorder.ts';

const kib = 1024;
const frameSizes = [4 * kib, 64 * kib, 256 * kib, 1024 * kib];
const [sender, receiver] = [asNodeId(1), asNodeId(2)];
/** Frames that the sender keeps queued, in bytes. */
const backlogBytes = 2 * 1024 * kib;

/** The other process: counts what arrives, and answers control messages. */
async function receive(port: number): Promise<void> {
  const node = await openGrpcNode(2);
  node.dial(1, port);
  process.stdout.write(`${node.port}\n`);
  let seen = 0;
  for (;;) {
    await node.heard.until(() => node.heard.frames.length > 0);
    for (const { messages } of node.heard.frames.splice(0)) {
      for (const { message } of messages) {
        if (message.kind === 'append-request') seen++;
        else if (message.kind === 'heartbeat-request') node.network.send(sender, [heartbeat(2, 1, seen)]);
      }
    }
  }
}

async function measure(megabytes: number): Promise<void> {
  const node = await openGrpcNode(1);
  const child = spawn(process.execPath, [import.meta.filename, 'receive', String(node.port)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  node.dial(2, Number(port.toString()));
  await until(() => node.network.isConnected(receiver));
  let sent = 0;
  for (const size of frameSizes) {
    const frames = framesFor(megabytes, size);
    await run(node, size, Math.ceil(frames / 10), sent);
    sent += Math.ceil(frames / 10);
    const result = await run(node, size, frames, sent);
    sent += frames;
    console.log(JSON.stringify({ frameKiB: size / kib, ...result }));
  }
  child.kill();
  await node.close();
}

const framesFor = (megabytes: number, size: number): number => Math.min(50_000, Math.ceil((megabytes * 1e6) / size));

async function run(node: Awaited<ReturnType<typeof openGrpcNode>>, size: number, frames: number, before: number) {
  const payload = new Uint8Array(size).fill(7);
  const cpu = process.cpuUsage();
  const started = performance.now();
  const trips: number[] = [];
  let sent = 0;
  let received = before;
  let askedMs = 0;
  while (received < before + frames) {
    while (sent < frames && node.network.queuedBytes(receiver) < backlogBytes) node.network.send(receiver, [append(1, 2, ++sent, payload)]);
    if (askedMs === 0) {
      askedMs = performance.now();
      node.network.send(receiver, [heartbeat(1, 2, 0)]);
    }
    await new Promise((resolve) => setImmediate(resolve));
    for (const { messages } of node.heard.frames.splice(0)) {
      for (const { message } of messages) {
        if (message.kind !== 'heartbeat-request') continue;
        received = message.readRound;
        trips.push(performance.now() - askedMs);
        askedMs = 0;
      }
    }
  }
  const seconds = (performance.now() - started) / 1000;
  const used = process.cpuUsage(cpu);
  trips.sort((a, b) => a - b);
  const at = (share: number): number => Number((trips[Math.floor((trips.length - 1) * share)] ?? 0).toFixed(2));
  const megabytes = (frames * size) / 1e6;
  return {
    megabytesPerSecond: Math.round(megabytes / seconds),
    senderCpuMsPerMegabyte: Number(((used.user + used.system) / 1000 / megabytes).toFixed(2)),
    roundTripMsMedian: at(0.5),
    roundTripMsP99: at(0.99),
  };
}

/** Serves `frames` ready-made messages of `size` bytes, and lets the other process read them. */
async function measureRaw(size: number, frames: number): Promise<void> {
  const frame = Buffer.alloc(size, 7);
  const server = new Server();
  const subscribe = (call: ServerWritableStream<SubscribeRequest, Uint8Array>): void => {
    let writing = 0;
    const pump = (): void => {
      while (!call.destroyed && writing < defaultLimits.writingBytesMax) {
        writing += size;
        call.write(frame, () => {
          writing -= size;
          pump();
        });
      }
    };
    pump();
  };
  server.addService(peerServiceDefinition, { subscribe });
  const port = await listen(server);
  const bytes = String(size * frames);
  const child = spawn(process.execPath, [import.meta.filename, 'receive-raw', String(port), bytes], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [seconds] = (await once(child.stdout, 'data')) as [Buffer];
  console.log(
    JSON.stringify({ raw: true, frameKiB: size / kib, megabytesPerSecond: Math.round((size * frames) / 1e6 / Number(seconds.toString())) }),
  );
  server.forceShutdown();
}

function receiveRaw(port: number, bytes: number): void {
  let left = bytes;
  let startedMs = 0;
  const own = { self: receiver, clusterId: () => '', storeId: '', verifyPeer: () => 'ok' };
  const request = subscribeRequest(own, sender, 'bulk');
  openSubscription(
    { address: `127.0.0.1:${port}`, channel: 'bulk', request, limits: defaultLimits },
    {
      onFrame: (frame) => {
        startedMs ||= performance.now();
        left -= frame.length;
        if (left <= 0) process.stdout.write(String((performance.now() - startedMs) / 1000), () => process.exit());
      },
      onClosed: () => process.exit(),
    },
  );
}

const [mode, ...rest] = process.argv.slice(2);
if (mode === 'receive') await receive(Number(rest[0]));
else if (mode === 'receive-raw') receiveRaw(Number(rest[0]), Number(rest[1]));
else {
  const megabytes = Number(mode ?? 2000);
  for (const size of frameSizes) await measureRaw(size, framesFor(megabytes, size));
  await measure(megabytes);
}
