/**
 * Finds replicas that were removed from their group without having heard of it, and hands
 * them to the reconciliation, which removes them like others that have moved away.
 *
 * Suspect is a replica that the metadata does not place here and that knows no leader. Which
 * of the group's members is asked, and about which group, goes round, so that one that
 * cannot answer keeps none from being found.
 */
import type { GroupId, NodeId } from '../core/ids.ts';
import { noNode } from '../core/ids.ts';
import type { BrokerState } from './broker-state.ts';
import { isReplica, placeOfGroup } from './metadata-replica.ts';
import { hasCaughtUp, isGone } from './reconcile.ts';

/** Pause between two questions. */
export const leftBehindCheckMs = 2000;

/** Questions asked so far. */
export interface LeftBehindMemory {
  asked: number;
}

/** Asks one member about one group. `reconcile` is called if something can be removed. */
export async function findLeftBehind(broker: BrokerState, memory: LeftBehindMemory, reconcile: () => void): Promise<void> {
  if (!hasCaughtUp(broker)) return;
  const groups = broker.host.groups();
  // A membership that ends here may arrive after the change of the metadata that asked for it.
  if (groups.some((group) => isGone(broker, group))) reconcile();
  const suspects = groups.filter((group) => isSuspect(broker, group));
  const group = suspects[memory.asked % suspects.length];
  if (group === undefined) return;
  const peers = membersElsewhere(broker, group);
  const peer = peers[Math.floor(memory.asked / suspects.length) % peers.length];
  memory.asked += 1;
  if (peer === undefined || !(await broker.host.wasRemoved(group, peer))) return;
  const status = broker.host.status(group);
  if (status === undefined || !isSuspect(broker, group)) return;
  broker.leftBehind.set(group, { term: status.term, last: status.last });
  reconcile();
}

function isSuspect(broker: BrokerState, group: GroupId): boolean {
  const place = placeOfGroup(broker.metadata, group);
  return place !== undefined && !isReplica(place, broker.facts.nodeId) && broker.host.status(group)?.leader === noNode;
}

/** Who has the group for certain, as the metadata knows it, and can be asked. */
function membersElsewhere({ metadata, host }: BrokerState, group: GroupId): readonly NodeId[] {
  const replicas = placeOfGroup(metadata, group)?.partition.replicas ?? [];
  return replicas.filter((node) => host.isConnected(node));
}
