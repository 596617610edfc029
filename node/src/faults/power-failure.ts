/**
 * A power failure of this process alone: the power is cut, what no sync has covered is
 * taken back, and the process is killed without any of its own code running again.
 *
 * What was lost is told before that, as one JSON line on stderr and to whoever asked:
 * a failure that took nothing proves nothing.
 */
import { writeSync } from 'node:fs';
import type { Random } from '../ports/random.ts';
import type { Loss } from './command.ts';
import type { DiskShim, LostFiles } from './disk-shim.ts';
import { never, type Power } from './power.ts';
import { loseState } from './state-loss.ts';

/** A disk that does not answer must not keep the process alive. */
const settleMsMax = 10_000;
const stderr = 2;

export interface LostPower extends LostFiles {
  /** Of the state store's files. */
  readonly stateBytes: number;
}

export interface PowerFailureOptions {
  readonly power: Power;
  readonly shim: Pick<DiskShim, 'rollBack'>;
  readonly stateFolder: string;
  readonly random: Random;
}

/** Cuts the power and takes back what is lost; the caller ends the process. The power fails once: later calls never settle. */
export async function failPower({ power, shim, stateFolder, random }: PowerFailureOptions, loss: Loss): Promise<LostPower> {
  if (power.isOff()) return never();
  await power.switchOff(settleMsMax);
  try {
    const lost = { ...shim.rollBack(loss.torn), stateBytes: loseState(stateFolder, loss, random) };
    tell({ event: 'power-loss', ...loss, ...lost });
    return lost;
  } catch (error) {
    tell({ event: 'power-loss-failed', error: String(error) });
    throw error;
  }
}

/** SIGKILL does not return to the process that sends it to itself. */
export const killProcess = (): void => void process.kill(process.pid, 'SIGKILL');

function tell(facts: Readonly<Record<string, unknown>>): void {
  try {
    writeSync(stderr, `${JSON.stringify(facts)}\n`);
  } catch {
    // Nobody reads it, or nobody reads fast enough; the process ends either way.
  }
}
