/**
 * The transport of producers that have lost patience: every produce request goes out again,
 * at once and several times, on streams of their own. Only the first stream's answers reach
 * the producer; those of the repetitions are counted.
 *
 * Bounds: `repeatsMax` further streams for each stream of a producer. One that breaks is opened
 * again with the next request.
 */
import type { ClientStream, Method, StreamHandler, Transport } from '@balsa/client';
import { assert } from '@balsa/node/core/assert.ts';
import { DataServiceService, type ProduceResponse } from '@balsa/proto/client';
import { type Repeats, repeatsMax } from '../nemesis/load-control.ts';

/** Shared by all transports of a workload. */
export interface Repeating extends Repeats {
  /** How often each request is repeated; 0: patience. */
  copies: number;
  sent: number;
  duplicates: number;
}

export const createRepeating = (): Repeating => ({ copies: 0, sent: 0, duplicates: 0 });

export function setCopies(repeating: Repeating, copies: number): void {
  assert(Number.isInteger(copies) && copies >= 0 && copies <= repeatsMax, 'requests are repeated a limited number of times', { copies });
  repeating.copies = copies;
}

export function repeatingTransport(inner: Transport, repeating: Repeating): Transport {
  return {
    ...inner,
    openStream: (address, method, handler) =>
      method.path === DataServiceService.produce.path
        ? openRepeating(inner, repeating, address, method, handler)
        : inner.openStream(address, method, handler),
  };
}

function openRepeating<Request, Response>(
  inner: Transport,
  repeating: Repeating,
  address: string,
  method: Method<Request, Response>,
  handler: StreamHandler<Response>,
): ClientStream<Request> {
  const copies: (ClientStream<Request> | undefined)[] = [];
  const closeCopies = (): void => copies.splice(0).forEach((copy) => copy?.close());
  const onClosed: typeof handler.onClosed = (reason) => {
    closeCopies();
    handler.onClosed(reason);
  };
  const openCopy = (place: number): ClientStream<Request> =>
    inner.openStream(address, method, {
      onMessage: (answer) => void (repeating.duplicates += (answer as ProduceResponse).duplicate ? 1 : 0),
      onClosed: () => void (copies[place] = undefined),
    });
  const main = inner.openStream(address, method, { ...handler, onClosed });
  const repeat = (message: Request): void => {
    for (let place = 0; place < repeating.copies; place += 1) {
      copies[place] ??= openCopy(place);
      copies[place]?.send(message);
      repeating.sent += 1;
    }
  };
  return {
    send: (message) => {
      main.send(message);
      repeat(message);
    },
    close: () => {
      closeCopies();
      main.close();
    },
  };
}
