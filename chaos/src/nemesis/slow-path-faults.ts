/** Networks that work, and not well: late, narrow, or standing still for a while. */
import * as z from 'zod';
import { type Proof, proveClogged, proveSlow, proveThrottled } from '../cluster/proofs.ts';
import { directions } from '../links/impairment.ts';
import { proveBy } from './begun.ts';
import { type BegunFault, defineFault, type Fault, type FaultContext } from './fault.ts';
import { type Path, pathsOf, proveOn, silenceMs, where } from './paths.ts';

const delayMsMax = 10_000;
const rateMin = 100;

function whileImpaired(paths: readonly Path[], impairment: Parameters<Path['link']['impair']>[0], prove: BegunFault['prove']): BegunFault {
  const undos = paths.map(({ link }) => link.impair(impairment));
  return { prove, heal: async () => undos.forEach((undo) => undo()) };
}

const late = z
  .strictObject({
    /** Each way; a round trip takes twice as long. */
    delayMs: z.number().min(1).max(delayMsMax).default(100),
    jitterMs: z.number().min(0).max(delayMsMax).default(20),
    where: where.default('both'),
  })
  .refine(({ delayMs, jitterMs }) => jitterMs <= delayMs, 'jitterMs is at most delayMs');

export const delay = defineFault({
  name: 'delay',
  family: 'network',
  summary: 'Everything on the paths of the node arrives late, by a varying time, in order',
  parameters: late,
  describe: (nodes, { delayMs, jitterMs }) => `${delayMs} +- ${jitterMs} ms of delay around ${nodes}`,
  begin: async (context, nodes, { delayMs, jitterMs, where: which }) => {
    const paths = pathsOf(context.cluster, nodes, which);
    const roundTripMsMin = 2 * (delayMs - jitterMs);
    const prove = (): Promise<readonly Proof[]> =>
      proveOn(
        context,
        paths.map((path) => ({ ...path, prove: () => proveSlow(path.link, roundTripMsMin) })),
      );
    return whileImpaired(paths, { delayMs, jitterMs }, prove);
  },
});

const narrow = z.strictObject({
  /** Of each path and direction. */
  bytesPerSecond: z.number().min(rateMin).max(1_000_000_000).default(20_000),
  where: where.default('both'),
});

export const throttle = defineFault({
  name: 'throttle',
  family: 'network',
  summary: 'The paths of the node carry so many bytes per second and no more',
  parameters: narrow,
  describe: (nodes, { bytesPerSecond }) => `${bytesPerSecond} bytes per second around ${nodes}`,
  begin: async (context, nodes, { bytesPerSecond, where: which }) => {
    const paths = pathsOf(context.cluster, nodes, which);
    const before = new Map(paths.map(({ link }) => [link.name, link.counts()]));
    // A rate that nothing reaches is no fault: bytes must have waited on one of the paths at least.
    const strongest = (): Proof => {
      const proofs = paths.flatMap(({ link }) => {
        const counts = before.get(link.name) ?? link.counts();
        return directions.map((direction) => proveThrottled(link, direction, counts));
      });
      return (
        proofs.find(({ holds }) => holds) ?? { claim: 'a path is throttled', holds: false, evidence: 'nothing had to wait on any path' }
      );
    };
    return whileImpaired(paths, { bytesPerSecond }, async (ending) => [await proveBy(ending, strongest)]);
  },
});

const clogged = z.strictObject({ where: where.default('both') });

export const clog = defineFault({
  name: 'clog',
  family: 'network',
  summary: 'The paths of the node keep everything, and let it out in order at the end',
  parameters: clogged,
  describe: (nodes) => `clogged paths around ${nodes}`,
  begin: async (context, nodes, { where: which }) => {
    const paths = pathsOf(context.cluster, nodes, which);
    return whileImpaired(paths, { delivery: 'hold' }, () => proveClogs(context, paths));
  },
});

/** Of these paths, all clogged. */
export function proveClogs(context: FaultContext, paths: readonly Path[]): Promise<readonly Proof[]> {
  return proveOn(
    context,
    paths.map((path) => ({ ...path, prove: () => proveClogged(path.link, 'upstream', silenceMs) })),
  );
}

export const slowPathFaults: readonly Fault[] = [delay, throttle, clog];
