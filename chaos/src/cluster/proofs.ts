/**
 * Evidence that a fault took effect, and that it is over. A run whose faults do nothing
 * proves nothing; so each fault has a proof, taken while it lasts, of something outside
 * the code that injected it: the process table, a probe through the link, its counters.
 */
import type { LinkCounts } from '../links/counters.ts';
import { isHealthy, type Direction } from '../links/impairment.ts';
import type { Link } from '../links/link.ts';
import type { ChaosNode } from './chaos-node.ts';
import type { ClusterLinks } from './network.ts';
import { type Probe, probe, probeTimeoutMsDefault } from './probe.ts';
import { processState } from './process-state.ts';

export interface Proof {
  /** What is claimed, of whom. */
  readonly claim: string;
  readonly holds: boolean;
  /** What was seen. */
  readonly evidence: string;
}

/** The last process of the node has ended and left the process table. */
export async function proveGone(node: ChaosNode): Promise<Proof> {
  const ending = node.endings().at(-1);
  const state = ending === undefined ? 'running' : await processState(ending.pid);
  const how = ending === undefined ? 'it has not ended' : `process ${ending.pid} ended by ${ending.signal ?? `exit code ${ending.code}`}`;
  return { claim: `node ${node.id} is down`, holds: node.pid() === undefined && state === 'gone', evidence: `${how}; it is ${state}` };
}

/** The system shows the process as stopped, and it does not answer. */
export async function provePaused(node: ChaosNode, timeoutMs = probeTimeoutMsDefault): Promise<Proof> {
  const pid = node.pid();
  const state = pid === undefined ? 'gone' : await processState(pid);
  const alive = await answersHttp(node, timeoutMs);
  const answer = alive ? 'answers' : `no answer within ${timeoutMs} ms`;
  return { claim: `node ${node.id} is paused`, holds: state === 'paused' && !alive, evidence: `process ${pid} is ${state}, ${answer}` };
}

async function answersHttp({ httpAddress }: ChaosNode, timeoutMs: number): Promise<boolean> {
  try {
    const response = await fetch(`http://${httpAddress}/livez`, { signal: AbortSignal.timeout(timeoutMs) });
    await response.arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

/** A probe gets no answer, and what disappeared is counted where it was cut. */
export async function proveCut(link: Link, direction: Direction, timeoutMs = probeTimeoutMsDefault): Promise<Proof> {
  const { before, after, probed } = await probeCounting(link, timeoutMs);
  const swallowedBytes = after[direction].swallowedBytes - before[direction].swallowedBytes;
  const expectedBytes = direction === 'upstream' ? probed.sentBytes : 1;
  return {
    claim: `${link.name} is cut ${direction}`,
    holds: probed.outcome === 'silent' && swallowedBytes >= expectedBytes,
    evidence: `probe ${describe(probed)}, ${swallowedBytes} bytes swallowed meanwhile`,
  };
}

/** A probe gets no answer because it is kept inside the link. */
export async function proveClogged(link: Link, direction: Direction, timeoutMs = probeTimeoutMsDefault): Promise<Proof> {
  const { after, probed } = await probeCounting(link, timeoutMs);
  const { heldBytes } = after[direction];
  const holds = probed.outcome === 'silent' && heldBytes > 0;
  return { claim: `${link.name} is clogged ${direction}`, holds, evidence: `probe ${describe(probed)}, ${heldBytes} bytes held` };
}

export async function proveRefused(link: Link, timeoutMs = probeTimeoutMsDefault): Promise<Proof> {
  const { before, after, probed } = await probeCounting(link, timeoutMs);
  const refused = after.refused - before.refused;
  const holds = probed.outcome === 'closed' && refused > 0;
  return { claim: `${link.name} refuses connections`, holds, evidence: `probe ${describe(probed)}, ${refused} refused meanwhile` };
}

/** A ping takes at least so long, there and back. */
export async function proveSlow(link: Link, roundTripMsMin: number, timeoutMs = roundTripMsMin + probeTimeoutMsDefault): Promise<Proof> {
  const probed = await probe(link, timeoutMs);
  const holds = probed.outcome === 'answered' && probed.elapsedMs >= roundTripMsMin;
  return { claim: `a round trip on ${link.name} takes ${roundTripMsMin} ms`, holds, evidence: `probe ${describe(probed)}` };
}

/** Bytes had to wait since `before`: a throttle that nothing has reached is no fault yet. */
export function proveThrottled(link: Link, direction: Direction, before: LinkCounts): Proof {
  const delayedBytes = link.counts()[direction].delayedBytes - before[direction].delayedBytes;
  return { claim: `${link.name} is throttled ${direction}`, holds: delayedBytes > 0, evidence: `${delayedBytes} bytes had to wait` };
}

export function proveReset(link: Link, before: LinkCounts): Proof {
  const resets = link.counts().resets - before.resets;
  return { claim: `${link.name} was reset`, holds: resets > 0, evidence: `${resets} connections reset` };
}

/** Streams ended in the middle of a frame. */
export function proveTruncated(link: Link, before: LinkCounts): Proof {
  const truncations = link.counts().truncations - before.truncations;
  return { claim: `streams of ${link.name} were truncated`, holds: truncations > 0, evidence: `${truncations} streams lost their end` };
}

/** Clients were told to go, and came back by another connection. */
export function proveGoAway(link: Link, before: LinkCounts): Proof {
  const now = link.counts();
  const goAways = now.goAways - before.goAways;
  const connections = now.connections - before.connections;
  return {
    claim: `${link.name} were told to go away`,
    holds: goAways > 0 && connections > 0,
    evidence: `${goAways} GOAWAY frames went out; ${connections} connections were opened since`,
  };
}

/** Somebody learned late that a connection had ended. */
export function proveLateEnds(link: Link, before: LinkCounts): Proof {
  const { lateEnds, upstream } = link.counts();
  const late = lateEnds - before.lateEnds;
  const undeliverableBytes = upstream.undeliverableBytes - before.upstream.undeliverableBytes;
  return {
    claim: `connections of ${link.name} were closed slowly`,
    holds: late > 0,
    evidence: `${late} ends arrived late; ${undeliverableBytes} bytes were sent to nobody`,
  };
}

/** No link has a fault and each answers a probe; every node runs and says that it is ready. One proof for each. */
export function proveHealed({
  links,
  nodes,
}: Pick<ClusterLinks, 'links'> & { readonly nodes: readonly ChaosNode[] }): Promise<readonly Proof[]> {
  return Promise.all([...links.map(proveOpen), ...nodes.map(proveReady)]);
}

async function proveOpen(link: Link): Promise<Proof> {
  const probed = await probe(link);
  const holds = isHealthy(link.state()) && probed.outcome === 'answered';
  return { claim: `${link.name} is open`, holds, evidence: `probe ${describe(probed)}, state ${JSON.stringify(link.state())}` };
}

async function proveReady(node: ChaosNode): Promise<Proof> {
  const pid = node.pid();
  const state = pid === undefined ? 'gone' : await processState(pid);
  const ready = await node.isReady();
  const evidence = `process ${pid} is ${state}, ${ready ? 'ready' : 'not ready'}`;
  return { claim: `node ${node.id} is ready`, holds: state === 'running' && ready, evidence };
}

async function probeCounting(link: Link, timeoutMs: number) {
  const before = link.counts();
  const probed = await probe(link, timeoutMs);
  return { before, after: link.counts(), probed };
}

const describe = ({ outcome, elapsedMs }: Probe): string => `${outcome} after ${Math.round(elapsedMs)} ms`;
