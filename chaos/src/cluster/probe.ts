/**
 * Asks through a link whether somebody is at its other end: the opening of an HTTP/2
 * connection and a ping, which every gRPC server answers without any of its services
 * noticing. Small enough to leave in one chunk.
 */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import type { Link } from '../links/link.ts';

export interface Probe {
  /** `silent`: connected, and no answer in time. `closed`: refused or reset before an answer. */
  readonly outcome: 'answered' | 'silent' | 'closed';
  /** From the ping to its answer, or how long it was waited for. */
  readonly elapsedMs: number;
  readonly sentBytes: number;
}

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const emptySettings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
const pingHeader = Buffer.from([0, 0, 8, 6, 0, 0, 0, 0, 0]);
const pingBytes = 8;
/** What comes back before the answer to the ping is far less. */
const answerBytesMax = 4096;

export const probeTimeoutMsDefault = 1_000;

export function probe({ address }: Link, timeoutMs = probeTimeoutMsDefault): Promise<Probe> {
  const [host = '', port = ''] = address.split(':');
  const ping = randomBytes(pingBytes);
  const question = Buffer.concat([preface, emptySettings, pingHeader, ping]);
  return new Promise((resolve) => {
    let received = Buffer.alloc(0);
    const startMs = performance.now();
    const socket = connect({ host, port: Number(port), noDelay: true });
    const finish = (outcome: Probe['outcome']): void => {
      clearTimeout(late);
      socket.destroy();
      resolve({ outcome, elapsedMs: performance.now() - startMs, sentBytes: question.length });
    };
    const late = setTimeout(() => finish('silent'), timeoutMs);
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]).subarray(-answerBytesMax);
      if (received.includes(ping)) finish('answered');
    });
    socket.once('error', () => finish('closed'));
    socket.once('close', () => finish('closed'));
    socket.once('connect', () => socket.write(question));
  });
}
