/**
 * Makes this node host what the metadata says: opens groups that it shall hold a replica
 * of, removes groups of deleted topics, and leaves the rest alone. A group that it shall hold
 * no more, but has in its journal, is opened as well: until the membership has changed this
 * node is one of its voters, and without it there may be no majority to change anything. The same
 * is true of a founder that has never opened it: the group may have been told to move before it began.
 *
 * Group ids are never reused and rise, so a group that the journal knows but the
 * metadata does not is deleted if its id is below nextGroupId, and merely not known yet
 * otherwise (this node's metadata may lag behind what it acknowledged). Only one round
 * runs at a time; changes during a round cause one more.
 *
 * After a start the metadata first shows a past in which groups exist that were deleted, and
 * removed here, before. A group that the journal does not know is therefore opened only when
 * the metadata has caught up with this node's own log: otherwise it would be born again, with
 * its votes forgotten and its records gone.
 */
import type { GroupId, NodeId } from '../core/ids.ts';
import { metadataGroup, noNode } from '../core/ids.ts';
import type { PartitionPlace } from '../core/machines/metadata/state.ts';
import { allPartitions } from '../core/machines/metadata/state.ts';
import type { Membership } from '../core/raft/membership.ts';
import { simpleMembership } from '../host/state.ts';
import type { GroupStatus } from '../host/vocabulary.ts';
import type { GroupKey } from '../storage/journal/vocabulary.ts';
import { dropAllRows } from './batch-rows.ts';
import type { BrokerState } from './broker-state.ts';
import { isReplica, partitionName, placeOfGroup } from './metadata-replica.ts';
import { createPartitionReplica, hostedPartition, wakeWaiters } from './partition-replica.ts';
import { pause } from './pause.ts';

/** Groups opened at the same time: they share the journal's writes. */
const opensMax = 64;
const retryMs = 500;
/** A new group's other replicas may open a little later; until then its first campaigns find no voters. */
const campaignsMax = 20;
const campaignMs = 50;

/** Starts reconciling; the returned function says that the metadata changed. */
export function startReconcile(broker: BrokerState): () => void {
  let running = false;
  let dirty = false;
  const run = async (): Promise<void> => {
    running = true;
    while (dirty && !broker.stopping) {
      dirty = false;
      const done = await reconcileOnce(broker);
      if (done) continue;
      dirty = true;
      await pause(broker.clock, retryMs);
    }
    running = false;
  };
  return () => {
    dirty = true;
    if (!running) void run();
  };
}

/** One round; false if something failed and should be tried again. */
export async function reconcileOnce(broker: BrokerState): Promise<boolean> {
  const wanted = [...allPartitions(broker.metadata.state)].filter(
    (place) => !broker.replicas.has(place.partition.groupId) && isWanted(broker, place),
  );
  const missing = hasCaughtUp(broker) ? wanted : wanted.filter(({ partition }) => broker.host.isKnown(keyOf(partition)));
  let sound = missing.length === wanted.length;
  for (let from = 0; from < missing.length && !broker.stopping; from += opensMax) {
    const opened = await Promise.all(
      missing.slice(from, from + opensMax).map((place) => attempt(broker, place.partition.groupId, () => open(broker, place))),
    );
    sound &&= opened.every(Boolean);
  }
  for (const group of broker.host.groups()) {
    const gone = isGone(broker, group);
    broker.leftBehind.delete(group);
    if (!broker.stopping && gone) sound = (await attempt(broker, group, () => remove(broker, group))) && sound;
  }
  return sound;
}

/** Also where it is placed no more: as long as it is a voter, or as it may be needed to found the group. */
function isWanted({ host, facts }: BrokerState, place: PartitionPlace): boolean {
  const key = keyOf(place.partition);
  const isFounder = place.partition.birth.includes(facts.nodeId);
  return isReplica(place, facts.nodeId) || host.isKnown(key) || (isFounder && !host.isRetired(key));
}

const keyOf = ({ groupId, generation }: PartitionPlace['partition']): GroupKey => ({ group: groupId, generation });

/** Remembers how far the metadata's log goes, as soon as that can be known: a damaged one shows its sound beginning only. */
export function noteMetadataEnd(broker: BrokerState): void {
  const status = broker.host.status(metadataGroup);
  if (status?.faulty === false) broker.metadataLastAtOpen ??= status.last;
}

/** The metadata shows everything that it showed before this process started. */
export function hasCaughtUp(broker: BrokerState): boolean {
  noteMetadataEnd(broker);
  const { host, metadataLastAtOpen } = broker;
  const status = host.status(metadataGroup);
  if (status === undefined || status.faulty || metadataLastAtOpen === undefined) return false;
  // A log that has become shorter lost entries that were never committed.
  return status.applied >= Math.min(metadataLastAtOpen, status.last);
}

async function attempt(broker: BrokerState, group: GroupId, action: () => Promise<void>): Promise<boolean> {
  try {
    await action();
    return true;
  } catch (error) {
    broker.observer.onEvent({ kind: 'reconcile-failed', group, error });
    return false;
  }
}

async function open(broker: BrokerState, place: PartitionPlace): Promise<void> {
  const { groupId, replicas } = place.partition;
  const key = keyOf(place.partition);
  const replica = createPartitionReplica(key);
  await broker.host.open({ ...key, birth: bornWith(broker, place), machine: hostedPartition(replica) });
  broker.replicas.set(groupId, replica);
  broker.observer.onEvent({ kind: 'group-opened', group: groupId, subject: partitionName(place) });
  if (replicas[0] === broker.facts.nodeId) void campaignAtBirth(broker, groupId);
}

/**
 * Founders are born as voters, however late. Who has left the group and comes back begins with nothing,
 * and has no say of its own until the log names it: otherwise a majority of the founders that came back
 * could found the group a second time.
 */
function bornWith({ host, facts }: BrokerState, { partition }: PartitionPlace): Membership {
  const { birth, replicas } = partition;
  if (!host.isRetired(keyOf(partition))) return simpleMembership(birth);
  const others = (nodes: readonly NodeId[]): readonly NodeId[] => nodes.filter((node) => node !== facts.nodeId);
  return simpleMembership(others(birth).length > 0 ? others(birth) : others(replicas));
}

/** Lets the preferred leader lead without waiting for an election time-out. */
async function campaignAtBirth(broker: BrokerState, group: GroupId): Promise<void> {
  for (let round = 0; round < campaignsMax && !broker.stopping; round += 1) {
    const status = broker.host.status(group);
    if (status === undefined || status.leader !== noNode) return;
    broker.host.campaign(group);
    await pause(broker.clock, campaignMs);
  }
}

/**
 * Deleted for certain, or moved away and no longer a member, whether the replica knows that or it was
 * proven. A leader that still sends here counts on this node: under a membership that has not got as
 * far as this log, and may need this node for a majority.
 */
export function isGone(broker: BrokerState, group: GroupId): boolean {
  if (group === metadataGroup || group >= broker.metadata.state.nextGroupId) return false;
  const place = placeOfGroup(broker.metadata, group);
  if (place === undefined) return true;
  const { nodeId } = broker.facts;
  const status = broker.host.status(group);
  const membership = status?.membership;
  // The membership shown is that of the newest entry, which may still be lost: until all is committed this node's copy counts.
  // A damaged log shows its sound beginning only.
  const isDecided = membership !== undefined && status?.faulty === false && status.commit === status.last;
  const member = !isDecided || [...membership.voters, ...membership.outgoing, ...membership.learners].includes(nodeId);
  const isAlone = status?.leader === noNode;
  return !isReplica(place, nodeId) && isAlone && (!member || isLeftBehind(broker, group, status));
}

/** What was proven counts as long as nothing has happened to the replica since. */
function isLeftBehind({ leftBehind }: BrokerState, group: GroupId, status: GroupStatus | undefined): boolean {
  const proven = leftBehind.get(group);
  return proven !== undefined && status?.term === proven.term && status.last === proven.last;
}

async function remove(broker: BrokerState, group: GroupId): Promise<void> {
  const replica = broker.replicas.get(group);
  const status = broker.host.status(group);
  broker.replicas.delete(group);
  broker.leaders.delete(group);
  if (replica !== undefined) wakeWaiters(replica);
  if (status === undefined) return;
  const key = { group, generation: status.generation };
  if (placeOfGroup(broker.metadata, group) === undefined) await broker.host.remove(key);
  else await broker.host.retire(key);
  await broker.stateStore.write(dropAllRows(key));
  broker.observer.onEvent({ kind: 'group-removed', group, subject: `group ${group}` });
}
