/** Connections that end when nobody expects it: reset, refused, ended on one side, or cut between a request and its reply. */
import * as z from 'zod';
import { type Proof, proveLateEnds, proveRefused, proveReset } from '../cluster/proofs.ts';
import type { Link } from '../links/link.ts';
import { proveBy, repeatEvery } from './begun.ts';
import { defineFault, type Fault } from './fault.ts';
import { pathsOf, proveOn, silenceMs, where } from './paths.ts';
import { againAndAgain, onSome, periodMsMax } from './repeated-strikes.ts';

const resets = z.strictObject({
  everyMs: z.number().int().min(10).max(periodMsMax).default(200),
  where: where.default('both'),
});

export const reset = defineFault({
  name: 'reset',
  family: 'network',
  summary: 'All connections of the node are reset, again and again',
  parameters: resets,
  describe: (nodes, { everyMs }) => `resets of all connections of ${nodes} every ${everyMs} ms`,
  begin: async ({ cluster }, nodes, { everyMs, where: which }) => {
    const paths = pathsOf(cluster, nodes, which);
    const otherwise = { claim: 'a path was reset', holds: false, evidence: 'there was no connection to reset' };
    const prove = onSome(paths, proveReset, otherwise);
    const end = againAndAgain(paths, everyMs, (link) => link.reset());
    return { prove: async (ending) => [await proveBy(ending, prove)], heal: async () => end() };
  },
});

const refusals = z.strictObject({ where: where.default('both') });

export const refuse = defineFault({
  name: 'refuse',
  family: 'network',
  summary: 'The connections of the node are reset once, and new ones at once',
  parameters: refusals,
  describe: (nodes) => `no connections to and from ${nodes}`,
  begin: async (context, nodes, { where: which }) => {
    const paths = pathsOf(context.cluster, nodes, which);
    const undos = paths.map(({ link }) => link.refuse());
    for (const { link } of paths) link.reset();
    return {
      prove: () =>
        proveOn(
          context,
          paths.map((path) => ({ ...path, prove: () => proveRefused(path.link, silenceMs) })),
        ),
      heal: async () => undos.forEach((undo) => undo()),
    };
  },
});

const slowCloses = z.strictObject({
  /** How long the other side takes a connection for open that has ended. */
  lateMs: z.number().int().min(10).max(periodMsMax).default(1000),
  everyMs: z.number().int().min(10).max(periodMsMax).default(500),
  where: where.default('both'),
});

export const slowClose = defineFault({
  name: 'slow-close',
  family: 'network',
  summary: 'Connections of the node end, again and again, and whoever opened them learns of it late',
  parameters: slowCloses,
  describe: (nodes, { lateMs }) => `ends of connections of ${nodes} that arrive ${lateMs} ms late`,
  begin: async ({ cluster }, nodes, { lateMs, everyMs, where: which }) => {
    const paths = pathsOf(cluster, nodes, which);
    const otherwise = { claim: 'a connection was closed slowly', holds: false, evidence: 'no end arrived late' };
    const prove = onSome(paths, proveLateEnds, otherwise);
    const undos = paths.map(({ link }) => link.impair({ endDelayMs: lateMs }, 'downstream'));
    const end = againAndAgain(paths, everyMs, (link) => link.resetTarget());
    return {
      prove: async (ending) => [await proveBy(ending, prove)],
      heal: async () => {
        end();
        undos.forEach((undo) => undo());
      },
    };
  },
});

const replyCuts = z.strictObject({
  /** Requests that still go out on the connection that is cut. */
  requests: z.number().int().min(1).max(1000).default(1),
  /** Pause between one cut and the next. */
  everyMs: z.number().int().min(0).max(periodMsMax).default(200),
});

const graceMs = 1000;
/** Longest wait for a victim; the end of the fault waits for it. */
const victimMsMax = 500;

export const replyCut = defineFault({
  name: 'reply-cut',
  family: 'network',
  summary: 'Requests of clients arrive and their replies do not: what is sent again would be there twice',
  parameters: replyCuts,
  describe: (nodes) => `lost replies of ${nodes}`,
  begin: async ({ cluster }, nodes, { requests, everyMs }) => {
    const seen: Seen = { cut: 0, other: 0, swallowedBytes: 0 };
    const cutters = nodes.map((node) => startCutting(cluster.clientLink(node), requests, everyMs, seen));
    return {
      prove: async (ending) => [await proveBy(ending, () => proveLost(seen))],
      heal: async () => void (await Promise.all(cutters.map(({ stop }) => stop()))),
    };
  },
});

interface Seen {
  cut: number;
  /** Without a victim, or without an answer. */
  other: number;
  swallowedBytes: number;
}

/** One cut after the other on this link. */
const startCutting = (link: Link, requests: number, everyMs: number, seen: Seen) =>
  repeatEvery(everyMs, async () => {
    const { outcome, swallowedBytes } = await link.cutReply({ after: { messages: requests }, graceMs, ttlMs: victimMsMax });
    seen[outcome === 'cut' ? 'cut' : 'other'] += 1;
    seen.swallowedBytes += swallowedBytes;
  });

/** Nobody may send anything to one of several nodes. */
const proveLost = ({ cut, other, swallowedBytes }: Seen): Proof => ({
  claim: 'replies were lost',
  holds: cut > 0,
  evidence: `the replies to ${cut} answered requests were swallowed (${swallowedBytes} bytes); ${other} tries had no victim or no answer`,
});

export const connectionFaults: readonly Fault[] = [reset, refuse, slowClose, replyCut];
