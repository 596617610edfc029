/** Everything outside the client's own logic: swap it to run the client in a simulation. */
import type { Clock } from './clock.ts';
import type { Random } from './random.ts';
import type { Transport } from './transport.ts';

export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
}
