/**
 * The standard gRPC health protocol (grpc.health.v1), as probes of orchestrators speak it.
 * Two messages of one field each: not worth a generated file.
 *
 * The service "" (the whole server) and every service of this server share one answer:
 * SERVING when the broker is ready.
 */
import type { handleServerStreamingCall, handleUnaryCall } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';

export const healthStatus = { SERVING: 1, NOT_SERVING: 2 } as const;
export type HealthStatus = (typeof healthStatus)[keyof typeof healthStatus];

export interface HealthRequest {
  readonly service: string;
}
export interface HealthResponse {
  readonly status: number;
}

const serviceTag = 0x0a;
const statusTag = 0x08;
/** Longest name that is looked at; longer ones are unknown anyway. */
const nameBytesMax = 127;

const method = (name: string, responseStream: boolean) => ({
  path: `/grpc.health.v1.Health/${name}`,
  requestStream: false as const,
  responseStream,
  requestSerialize: encodeRequest,
  requestDeserialize: decodeRequest,
  responseSerialize: ({ status: value }: HealthResponse): Buffer => Buffer.from([statusTag, value]),
  responseDeserialize: (bytes: Buffer): HealthResponse => ({ status: bytes[1] ?? 0 }),
});

export const healthServiceDefinition = { check: method('Check', false), watch: method('Watch', true) };

function encodeRequest({ service }: HealthRequest): Buffer {
  const name = Buffer.from(service);
  return name.length === 0
    ? name
    : Buffer.concat([Buffer.from([serviceTag, Math.min(name.length, nameBytesMax)]), name.subarray(0, nameBytesMax)]);
}

/** Anything but a short service name in the one field is an unknown service. */
function decodeRequest(bytes: Buffer): HealthRequest {
  if (bytes.length === 0) return { service: '' };
  const length = bytes[1] ?? 0;
  const sound = bytes[0] === serviceTag && length <= nameBytesMax && bytes.length === 2 + length;
  return { service: sound ? bytes.toString('utf8', 2) : '?' };
}

const watchMs = 1000;

/** `isReady` is asked at every check, and once a second for watchers. */
export function healthHandlers(services: readonly string[], isReady: () => boolean) {
  const known = new Set(['', 'grpc.health.v1.Health', ...services]);
  const now = (): HealthStatus => (isReady() ? healthStatus.SERVING : healthStatus.NOT_SERVING);
  const check: handleUnaryCall<HealthRequest, HealthResponse> = ({ request }, callback) => {
    if (known.has(request.service)) callback(null, { status: now() });
    else callback({ code: status.NOT_FOUND, details: 'unknown service' });
  };
  const watch: handleServerStreamingCall<HealthRequest, HealthResponse> = (call) => {
    if (!known.has(call.request.service)) {
      call.emit('error', { code: status.NOT_FOUND, details: 'unknown service' });
      return;
    }
    let last: HealthStatus | undefined;
    const tell = (): void => {
      const current = now();
      // A watcher that does not read misses changes in between, never the last one.
      if (current === last || call.writableNeedDrain) return;
      last = current;
      call.write({ status: current });
    };
    const timer = setInterval(tell, watchMs);
    call.on('close', () => clearInterval(timer));
    call.on('cancelled', () => clearInterval(timer));
    tell();
  };
  return { check, watch };
}
