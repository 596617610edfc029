/**
 * Partitions: messages are swallowed, connections stay half-open, nobody is told.
 *
 * Each is a set of ways (from a node to a node) that are cut; so every map of who hears whom
 * can be said, and every one is shown in the same manner.
 */
import * as z from 'zod';
import { cutClients, cutOneWay } from '../cluster/partitions.ts';
import { proveCut } from '../cluster/proofs.ts';
import type { Undo } from '../links/link.ts';
import { type BegunFault, defineFault, type Fault, type FaultContext, FaultImpossible, noParameters } from './fault.ts';
import { proveOn, proveWaysCut, silenceMs, type Way } from './paths.ts';
import { alone, bridged, halves, heardOnly, muted, ringed, together } from './ways.ts';

function cut(context: FaultContext, ways: readonly Way[]): Promise<BegunFault> {
  if (ways.length === 0) return Promise.reject(new FaultImpossible('there is nobody to be cut off from'));
  return beginUndo(
    ways.map(({ from, to }) => cutOneWay(context.cluster, from, to)),
    () => proveWaysCut(context, ways),
  );
}

async function beginUndo(undos: readonly Undo[], prove: BegunFault['prove']): Promise<BegunFault> {
  return { prove, heal: async () => undos.forEach((undo) => undo()) };
}

const idsOf = ({ cluster }: FaultContext): readonly number[] => cluster.nodes.map(({ id }) => id);

function cutFault(
  name: string,
  summary: string,
  describe: (nodes: string) => string,
  waysOf: (all: readonly number[], nodes: readonly number[]) => readonly Way[],
): Fault {
  return defineFault({
    name,
    family: 'network',
    summary,
    parameters: noParameters,
    describe,
    begin: (context, nodes) => cut(context, waysOf(idsOf(context), nodes)),
  });
}

export const isolate = cutFault(
  'isolate',
  'Nothing passes between the node and its peers, in either direction',
  (nodes) => `isolation of ${nodes}`,
  alone,
);

export const mute = cutFault(
  'mute',
  'Nothing that the node says reaches its peers; it hears them',
  (nodes) => `${nodes} can hear and not be heard`,
  muted,
);

export const deafen = cutFault(
  'deafen',
  'Nothing that its peers say reaches the node; they hear it',
  (nodes) => `${nodes} can be heard and not hear`,
  heardOnly,
);

export const bridge = cutFault(
  'bridge',
  'Two halves hear each other only through the target, which hears all',
  (nodes) => `halves with ${nodes} as the bridge`,
  (all, [node = 1]) => bridged(all, node),
);

export const ring = cutFault(
  'ring',
  'Every node hears a majority, no two of them the same one',
  () => 'a ring of overlapping majorities',
  (all) => ringed(all),
);

export const oneWay = defineFault({
  name: 'one-way',
  family: 'network',
  summary: 'Nothing that the first node of the target says reaches the second',
  parameters: noParameters,
  describe: (nodes) => `a path cut in one direction, ${nodes}`,
  begin: (context, [from, to]) => {
    if (from === undefined || to === undefined)
      return Promise.reject(new FaultImpossible('it takes two nodes: target: [leader, follower]'));
    return cut(context, [{ from, to }]);
  },
});

const splitInto = z.strictObject({
  /** halves: as equal as can be; one-each: nobody hears anybody; target-rest: the target stays together. */
  into: z.enum(['halves', 'one-each', 'target-rest']).default('halves'),
});
export const split = defineFault({
  name: 'split',
  family: 'network',
  summary: 'The cluster falls into parts that do not hear each other',
  parameters: splitInto,
  describe: (nodes, { into }) =>
    ({ halves: `halves, ${nodes} in the smaller`, 'one-each': 'everybody alone', 'target-rest': `${nodes} and the rest apart` })[into],
  begin: (context, nodes, { into }) => {
    const all = idsOf(context);
    return cut(context, into === 'one-each' ? alone(all, all) : into === 'halves' ? halves(all, nodes) : together(all, nodes));
  },
});

export const clientCut = defineFault({
  name: 'cut-clients',
  family: 'network',
  summary: 'Clients and the node do not hear each other; its peers do',
  parameters: noParameters,
  describe: (nodes) => `no path between clients and ${nodes}`,
  begin: (context, nodes) => {
    const links = nodes.map((node) => ({ link: context.cluster.clientLink(node), target: node }));
    return beginUndo(
      nodes.map((node) => cutClients(context.cluster, node)),
      () =>
        proveOn(
          context,
          links.map((path) => ({ ...path, prove: () => proveCut(path.link, 'upstream', silenceMs) })),
        ),
    );
  },
});

export const cutFaults: readonly Fault[] = [isolate, mute, deafen, split, bridge, ring, oneWay, clientCut];
