/**
 * Puts the faults between a node and its machine. Loaded only for `--unsafe-faults`
 * (assembly/start-node.ts): without it nothing of this folder is even read.
 */
import type { Surroundings } from '../assembly/surroundings.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Loss } from './command.ts';
import { createFaultControl } from './control.ts';
import { createDiskShim } from './disk-shim.ts';
import { createFailpoints } from './failpoints.ts';
import { createFaultBoard } from './fault-board.ts';
import { faultyBroker } from './faulty-broker.ts';
import { faultyClock } from './faulty-clock.ts';
import { faultyHost, faultyObserver } from './faulty-host.ts';
import { faultyNetwork } from './faulty-network.ts';
import { faultyStateStore } from './faulty-state-store.ts';
import { httpChannel } from './http-channel.ts';
import { createPower } from './power.ts';
import { failPower, killProcess, type LostPower } from './power-failure.ts';

/** Whoever asked for a power failure must take its answer in this time. */
const answerMsMax = 1_000;

export interface FaultyOptions {
  readonly dataFolder: string;
  readonly stateFolder: string;
  readonly log: Logger;
}

export function faultySurroundings(real: Surroundings, { dataFolder, stateFolder, log }: FaultyOptions): Surroundings {
  const { clock: realClock, random } = real;
  const board = createFaultBoard(realClock, random);
  const power = createPower(realClock);
  const lose = (loss: Loss): Promise<LostPower> => failPower({ power, shim, stateFolder, random }, loss);
  const losePower = (loss: Loss): void => void lose(loss).finally(killProcess);
  const losePowerAndAnswer = (loss: Loss): Promise<LostPower> => lose(loss).finally(() => realClock.after(answerMsMax, killProcess));
  const points = createFailpoints(board, { kill: killProcess, losePower });
  const shim = createDiskShim(real.disk, { board, points, power });
  const clock = faultyClock(realClock, board);
  const control = createFaultControl({ board, points, shim, clock, dataFolder, failPower: losePowerAndAnswer, log });
  const seams = { points, power };
  return {
    disk: shim.disk,
    stateFolders: {
      open: async (folder) => faultyStateStore(await real.stateFolders.open(folder), seams),
      discard: real.stateFolders.discard,
    },
    clock,
    random,
    network: (network) => faultyNetwork(real.network(network), seams),
    host: (host) => faultyHost(real.host(host), points),
    observer: (observer) => faultyObserver(real.observer(observer), points),
    broker: (broker) => faultyBroker(real.broker(broker), seams),
    faultsPage: httpChannel(control),
  };
}
