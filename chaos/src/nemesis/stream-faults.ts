/** Connections whose byte stream ends, or is told to end, in a way of HTTP/2's own: inside a frame, or by GOAWAY. */
import * as z from 'zod';
import { type Proof, proveGoAway, proveTruncated } from '../cluster/proofs.ts';
import { directions } from '../links/impairment.ts';
import { type GoAwayCode, goAwayCodes } from '../links/interruption.ts';
import type { Link, Undo } from '../links/link.ts';
import { proveBy } from './begun.ts';
import { type BegunFault, defineFault, type Fault } from './fault.ts';
import { type Path, pathsOf, where } from './paths.ts';
import { againAndAgain, onSome, periodMsMax } from './repeated-strikes.ts';

const truncations = z.strictObject({
  everyMs: z.number().int().min(10).max(periodMsMax).default(300),
  /** Whose bytes break off: those that dial (requests), or those that answer. */
  direction: z.enum(directions).default('downstream'),
  where: where.default('both'),
});

export const truncate = defineFault({
  name: 'truncate',
  family: 'network',
  summary: 'Streams of the node end in the middle of a frame, in order, again and again',
  parameters: truncations,
  describe: (nodes, { everyMs }) => `truncated streams of ${nodes} every ${everyMs} ms`,
  begin: async ({ cluster }, nodes, { everyMs, direction, where: which }) => {
    const paths = pathsOf(cluster, nodes, which);
    const otherwise = { claim: 'a stream was truncated', holds: false, evidence: 'nothing was sent that could be truncated' };
    const prove = onSome(paths, proveTruncated, otherwise);
    return interrupted(paths, everyMs, prove, (link) => link.interrupt({ kind: 'truncate' }, direction));
  },
});

/** Again and again; what has not struck by the end does not strike any more. */
function interrupted(paths: readonly Path[], everyMs: number, prove: () => Proof, interrupt: (link: Link) => Undo): BegunFault {
  const undos = new Map<Link, Undo>();
  const end = againAndAgain(paths, everyMs, (link) => undos.set(link, interrupt(link)));
  return {
    prove: async (ending) => [await proveBy(ending, prove)],
    heal: async () => {
      end();
      undos.forEach((undo) => undo());
    },
  };
}

const goAways = z.strictObject({
  everyMs: z.number().int().min(10).max(periodMsMax).default(500),
  code: z.enum(Object.keys(goAwayCodes) as [GoAwayCode, ...GoAwayCode[]]).default('no-error'),
  where: where.default('both'),
});

export const goAway = defineFault({
  name: 'go-away',
  family: 'network',
  summary: 'Whoever is connected to the node is told by HTTP/2 to go away, again and again',
  parameters: goAways,
  describe: (nodes, { code, everyMs }) => `GOAWAY (${code}) from ${nodes} every ${everyMs} ms`,
  begin: async ({ cluster }, nodes, { everyMs, code, where: which }) => {
    const paths = pathsOf(cluster, nodes, which);
    const otherwise = {
      claim: 'somebody was told to go away',
      holds: false,
      evidence: 'nobody who was told came back on a new connection',
    };
    const prove = onSome(paths, proveGoAway, otherwise);
    return interrupted(paths, everyMs, prove, (link) => link.interrupt({ kind: 'go-away', code }, 'downstream'));
  },
});

export const streamFaults: readonly Fault[] = [truncate, goAway];
