/** A client process whose produce requests are counted: without idempotence every one of them may leave a copy. */
import { type Balsa, connect, type Transport } from '@balsa/client';
import { DataServiceService, type ProduceRequest } from '@balsa/proto/client';
import { decodeBatch } from '../../../client/src/records/batch-reader.ts';
import { clientAddressOf } from '../../sim/world/node-config.ts';
import { createProcessClock } from '../../sim/world/process-clock.ts';
import type { World } from '../../sim/world/world.ts';
import { valueId } from '../../sim/workload/values.ts';

/** Shorter than the default, so that a client soon gives up on an answer that was swallowed. */
export const requestTimeoutMs = 800;

export function connectClient(world: World, name: string, onSent: (id: number) => void): Promise<Balsa> {
  const clock = createProcessClock(world.clock, { rate: 1, wallOffsetMs: 0 });
  const transport = counted(world.clients.transport(name, clock), onSent);
  const addresses = world.nodes.map(({ id }) => clientAddressOf(id));
  const ports = { clock, transport, random: world.random(name) };
  return connect(addresses, { clientId: name, requestTimeout: requestTimeoutMs, timeout: connectMs, ports });
}
const connectMs = 20_000;

function counted(transport: Transport, onSent: (id: number) => void): Transport {
  return {
    ...transport,
    openStream: (address, method, handler) => {
      const stream = transport.openStream(address, method, handler);
      if (method.path !== DataServiceService.produce.path) return stream;
      return {
        ...stream,
        send: (message) => {
          for (const { value } of decodeBatch((message as ProduceRequest).batch).records) if (value !== null) onSent(valueId(value));
          stream.send(message);
        },
      };
    },
  };
}
