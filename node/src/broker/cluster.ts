/**
 * How a cluster begins and how a node joins it.
 *
 * All nodes open the metadata group with the same static membership. Whoever leads it
 * first gives the cluster its identity; then every node registers its addresses, zone and
 * store with the leader. Both are idempotent commands of the metadata machine, so they are
 * simply repeated until they are seen applied.
 */
import type { NodeId } from '../core/ids.ts';
import { metadataGroup, noNode } from '../core/ids.ts';
import type { Membership } from '../core/raft/membership.ts';
import { BrokerError } from './broker-error.ts';
import type { BrokerState, NodeFacts } from './broker-state.ts';
import { leaderOf } from './leadership.ts';
import { hostedMetadata, metadataKey, metadataSubject } from './metadata-replica.ts';
import { writeMetadata } from './metadata-write.ts';
import { pause, waitUntil } from './pause.ts';
import { noteMetadataEnd } from './reconcile.ts';
import { viaHost } from './broker-error.ts';

/** More voters make the metadata slower and no safer in practice. */
const metadataVotersMax = 5;
const clusterIdBytes = 16;
/** Pause between two tries to register; it doubles, as does the log line of each failure. */
const retryMsMin = 100;
const retryMsMax = 5000;
const leaderWaitMs = 1000;

/** The first five ids vote, the others follow. */
export function metadataMembership(members: readonly NodeId[]): Membership {
  const sorted = members.toSorted((a, b) => a - b);
  return {
    voters: sorted.slice(0, metadataVotersMax),
    learners: sorted.slice(metadataVotersMax),
    outgoing: [],
    learnersNext: [],
    autoLeave: false,
  };
}

export async function openMetadata(broker: BrokerState): Promise<void> {
  const configured = metadataMembership(broker.members);
  await broker.host.open({ ...metadataKey, birth: configured, machine: hostedMetadata(broker.metadata) });
  noteMetadataEnd(broker);
  checkMembers(broker, configured);
  // A lone node need not wait out an election time-out.
  if (broker.members.length === 1) broker.host.campaign(metadataGroup);
}

/**
 * The data folder was founded by the same members that are configured now; otherwise it
 * belongs to another cluster, which this node would go on serving by itself.
 */
function checkMembers(broker: BrokerState, configured: Membership): void {
  const found = broker.host.status(metadataGroup)?.membership;
  if (found === undefined || String([found.voters, found.learners]) === String([configured.voters, configured.learners])) return;
  const list = ({ voters, learners }: Membership): string => [...voters, ...learners].join(', ');
  throw new BrokerError(
    'DATA_FOREIGN',
    `The data folder belongs to a cluster of the nodes ${list(found)}, but cluster.members names ${list(configured)}.`,
  );
}

/** On the metadata leader: gives the cluster its identity unless it has one. */
export async function initialiseCluster(broker: BrokerState): Promise<void> {
  const { limits, metadata, host } = broker;
  if (metadata.state.clusterId !== '') return;
  await viaHost(metadataSubject, host.confirmRead(metadataGroup, limits.requestTimeoutMs));
  if (metadata.state.clusterId !== '') return;
  const clusterId = broker.random.hex(clusterIdBytes);
  const done = await writeMetadata(broker, { type: 'init-cluster', clusterId }, limits.requestTimeoutMs);
  if (done.clusterId === clusterId) broker.observer.onEvent({ kind: 'cluster-initialised', clusterId });
}

/** On the metadata leader: commits what `facts` says of a node. */
export async function registerNode(broker: BrokerState, facts: NodeFacts, timeoutMs: number): Promise<void> {
  await initialiseCluster(broker);
  await writeMetadata(broker, { type: 'register-node', ...facts }, timeoutMs);
}

/** Tries until this node's registration is applied here. Rejects only if another try cannot help. */
export async function joinCluster(broker: BrokerState): Promise<void> {
  let retryMs = retryMsMin;
  while (!broker.stopping && !isRegistered(broker)) {
    await waitUntil(broker.clock, leaderWaitMs, () => broker.stopping || leaderOf(broker, metadataGroup).leader !== noNode);
    try {
      await tryToRegister(broker);
    } catch (error) {
      const final = error instanceof BrokerError && isFinal(error);
      broker.observer.onEvent({ kind: 'registration-failed', error, final });
      if (final) throw error;
    }
    if (!isRegistered(broker)) await pause(broker.clock, retryMs);
    retryMs = Math.min(retryMs * 2, retryMsMax);
  }
  if (broker.stopping) return;
  broker.registered = true;
  broker.observer.onEvent({ kind: 'registered', node: broker.facts.nodeId });
}

async function tryToRegister(broker: BrokerState): Promise<void> {
  const { facts, limits } = broker;
  const { leader } = leaderOf(broker, metadataGroup);
  if (leader === facts.nodeId) await registerNode(broker, facts, limits.requestTimeoutMs);
  else if (leader !== noNode) await broker.leaderCalls.registerNode(leader, facts, limits.requestTimeoutMs);
}

/** The machine said no for good: another cluster, or an id that another data folder holds. */
const isFinal = ({ code }: BrokerError): boolean => code === 'WRONG_CLUSTER' || code === 'INVALID_REQUEST';

function isRegistered({ facts, metadata }: BrokerState): boolean {
  const known = metadata.state.nodes.get(facts.nodeId);
  if (known === undefined) return false;
  const same = (key: Exclude<keyof NodeFacts, 'nodeId'>): boolean => known[key] === facts[key];
  return same('storeId') && same('clientAddress') && same('peerAddress') && same('httpAddress') && same('zone');
}
