/** One connection for the length of one command. */
import { BalsaError, connect } from '../src/mod.ts';
import type { Balsa } from '../src/mod.ts';
import { CliError, explainApiError } from './cli-error.ts';
import type { ClusterOptions } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { whyUnreachable } from './reachability.ts';
import type { Io } from './terminal/io.ts';

/** Nobody listens, or somebody does at once; the rest of --timeout is for requests. */
const connectTimeoutMsMax = 3000;
const unreachable: readonly string[] = ['TIMEOUT', 'CONNECTION_LOST'];

const connectTimeout = (timeoutMs: number): number => Math.min(timeoutMs, connectTimeoutMsMax);

/** Connects, runs the command, and disconnects whatever happens. */
export async function withBalsa<T>(io: Io, options: ClusterOptions, run: (balsa: Balsa) => Promise<T>): Promise<T> {
  const balsa = await open(io, options);
  try {
    return await run(balsa);
  } finally {
    // An interrupted command does not wait for records that are still under way.
    await balsa.close(io.signal.aborted ? { timeout: 0 } : {});
  }
}

async function open(io: Io, { address, timeout }: ClusterOptions): Promise<Balsa> {
  try {
    return await connect(address, { clientId: 'balsa-cli', requestTimeout: timeout, timeout: connectTimeout(timeout), signal: io.signal });
  } catch (cause) {
    if (!(cause instanceof BalsaError) || !unreachable.includes(cause.code))
      throw explainApiError(`cannot use --address ${address}`, cause);
    throw new CliError({
      what: `no broker answers at ${address}`,
      why: await whyUnreachable(address),
      next: 'start a cluster (balsa dev), or name another address with --address or BALSA_ADDRESS',
      exitCode: exitCodes.unavailable,
      code: cause.code,
    });
  }
}
