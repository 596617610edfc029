/** Failpoints around the appends of clients; no append is answered once the power is off. */
import type { Broker } from '../broker/broker.ts';
import { brokerError } from '../broker/broker-error.ts';
import type { Failpoints } from './failpoints.ts';
import type { Power } from './power.ts';

export function faultyBroker(broker: Broker, { points, power }: { readonly points: Failpoints; readonly power: Power }): Broker {
  const pointError = (message: string): Error => brokerError('INTERNAL', `Injected error: ${message}.`);
  return {
    ...broker,
    produce: async (input) => {
      await points.wait('produce.before-append', pointError);
      const produced = await power.answer(() => broker.produce(input));
      await points.wait('produce.before-answer', pointError);
      return produced;
    },
  };
}
