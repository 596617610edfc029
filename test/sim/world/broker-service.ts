/**
 * A broker's client API as the network twin serves it: the production handlers of both
 * services, without gRPC between them and the wire codecs.
 */
import type { EdgeOptions } from '@balsa/node/edges/grpc/edge-options.ts';
import { adminHandlers } from '@balsa/node/edges/grpc/admin-service.ts';
import { dataHandlers, dataServiceDefinition } from '@balsa/node/edges/grpc/data-service.ts';
import { fetchWork } from '@balsa/node/edges/grpc/fetch-stream.ts';
import { produceWork } from '@balsa/node/edges/grpc/produce-stream.ts';
import type { StreamWork } from '@balsa/node/edges/grpc/request-stream.ts';
import { BalsaError } from '@balsa/client';
import { AdminServiceService } from '@balsa/proto/admin';
import type { ServedStream, ServedUnary, Service } from './client-network.ts';
import type { ProcessClock } from './process-clock.ts';

type Definition = Readonly<Record<string, ServedUnary['method'] & { readonly requestStream: boolean }>>;
type Handlers = Readonly<Record<string, unknown>>;

export function brokerService(options: EdgeOptions, clock: ProcessClock): Service {
  const gate = { options, inflight: 0 };
  return {
    clock,
    unary: new Map([
      ...unaryMethods(dataServiceDefinition, dataHandlers(options, gate)),
      ...unaryMethods(AdminServiceService, { ...adminHandlers(options, gate) }),
    ]),
    streams: new Map([
      [dataServiceDefinition.produce.path, streamMethod(dataServiceDefinition.produce, () => produceWork(options))],
      [dataServiceDefinition.fetch.path, streamMethod(dataServiceDefinition.fetch, () => fetchWork(options))],
    ]),
  };
}

type UnaryHandler = (call: { readonly request: unknown }, reply: (error: { details: string } | null, response: unknown) => void) => void;

function unaryMethods(definition: object, handlers: Handlers): [string, ServedUnary][] {
  return Object.entries(definition as Definition)
    .filter(([, { requestStream }]) => !requestStream)
    .map(([name, method]) => {
      const handler = handlers[name] as UnaryHandler;
      const answer = (request: unknown): Promise<unknown> =>
        new Promise((resolve) => {
          handler({ request }, (error, response) =>
            resolve(error === null ? response : new BalsaError('INTERNAL', { detail: error.details })),
          );
        });
      return [method.path, { method, answer }];
    });
}

function streamMethod<Request, Response>(method: object, work: () => StreamWork<Request, Response>): ServedStream {
  return {
    method: method as ServedStream['method'],
    open: (peer) => {
      const own = work();
      const abort = new AbortController();
      return {
        onMessage: (request) => {
          void own.answer(request as Request, abort.signal).then(({ response, sent }) => {
            if (!abort.signal.aborted) peer.send(response);
            sent();
          });
        },
        onClosed: () => abort.abort(),
      };
    },
  };
}
