/** DataService over the broker. */
import type { DataServiceServer, FetchRequest, ListOffsetsRequest, ReadReplicaRequest } from '@balsa/proto/client';
import { DataServiceService, OffsetPosition } from '@balsa/proto/client';
import type { handleBidiStreamingCall, handleUnaryCall, ServerDuplexStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import { brokerError } from '../../broker/broker-error.ts';
import type { OffsetQuestion } from '../../broker/list-offsets.ts';
import type { EdgeOptions } from './edge-options.ts';
import { encodeFetchAnswer } from './fetch-response-codec.ts';
import type { FetchAnswer } from './fetch-response-codec.ts';
import { fetchWork } from './fetch-stream.ts';
import { produceWork } from './produce-stream.ts';
import type { StreamWork } from './request-stream.ts';
import { serveRequests } from './request-stream.ts';
import { clusterToWire } from './topic-wire.ts';
import type { UnaryGate } from './unary-call.ts';
import { unary } from './unary-call.ts';

/** DataService with the fetch answers of `fetch-response-codec.ts`; those of ReadReplica have the same fields. */
export const dataServiceDefinition = {
  ...DataServiceService,
  fetch: { ...DataServiceService.fetch, responseSerialize: encodeFetchAnswer, responseDeserialize: (): FetchAnswer => neverRead() },
  readReplica: {
    ...DataServiceService.readReplica,
    responseSerialize: (answer: Buffer) => answer,
    responseDeserialize: (): Buffer => neverRead(),
  },
} as const;

function neverRead(): never {
  throw new Error('the server does not read its own answers');
}

type DataHandlers = Pick<DataServiceServer, 'produce' | 'getMetadata' | 'listOffsets' | 'initProducer'> & {
  readonly readReplica: handleUnaryCall<ReadReplicaRequest, Buffer>;
  readonly fetch: handleBidiStreamingCall<FetchRequest, FetchAnswer>;
};

export function dataHandlers(options: EdgeOptions, gate: UnaryGate): UntypedServiceImplementation & DataHandlers {
  const { broker } = options;
  const serve = streamServer(options);
  return {
    produce: (call) => serve(call, () => produceWork(options)),
    fetch: (call) => serve(call, () => fetchWork(options)),
    readReplica: unary(
      gate,
      'ReadReplica',
      (request) => readReplica(options, request),
      (error) => encodeFetchAnswer({ ...noAnswer, error }),
    ),
    getMetadata: unary(gate, 'GetMetadata', async ({ topics }) =>
      clusterToWire(await broker.describeClusterConfirmed(topics), broker.facts.nodeId),
    ),
    listOffsets: unary(
      gate,
      'ListOffsets',
      async (request) => ({ error: undefined, offset: await broker.listOffset(request.topic, request.partition, questionOf(request)) }),
      (error) => ({ error, offset: 0 }),
    ),
    initProducer: unary(
      gate,
      'InitProducer',
      async () => ({ error: undefined, producerId: await broker.nextProducerId(), producerEpoch: 0 }),
      (error) => ({ error, producerId: 0, producerEpoch: 0 }),
    ),
  };
}

const noAnswer: FetchAnswer = { correlation: 0, error: undefined, highWatermark: 0, logStart: 0, batches: [] };

/** Encoded at once, so that the share of the broker's memory can be given back. */
async function readReplica({ broker }: EdgeOptions, request: ReadReplicaRequest): Promise<Buffer> {
  const { release, ...read } = await broker.readReplica(request);
  try {
    return encodeFetchAnswer({ ...noAnswer, ...read });
  } finally {
    release();
  }
}

/** Serves streams while there are not too many. */
function streamServer({ limits, observer }: EdgeOptions) {
  let open = 0;
  return <Request, Response>(call: ServerDuplexStream<Request, Response>, work: () => StreamWork<Request, Response>): void => {
    if (open >= limits.streamsMax) {
      observer.onRefused('OVERLOADED');
      call.emit('error', {
        code: status.RESOURCE_EXHAUSTED,
        details: `OVERLOADED: the limit limits.streamsMax (${limits.streamsMax}) is reached`,
      });
      return;
    }
    open += 1;
    observer.onStreams(open);
    serveRequests(call, work(), () => {
      open -= 1;
      observer.onStreams(open);
    });
  };
}

function questionOf({ position, timeMs }: ListOffsetsRequest): OffsetQuestion {
  switch (position) {
    case OffsetPosition.OFFSET_POSITION_EARLIEST:
      return { at: 'earliest' };
    case OffsetPosition.OFFSET_POSITION_LATEST:
      return { at: 'latest' };
    case OffsetPosition.OFFSET_POSITION_TIME:
      return { at: 'time', timeMs };
    default:
      throw brokerError('INVALID_REQUEST', `The field position has the unknown value ${position}.`);
  }
}
