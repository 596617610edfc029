/**
 * Gives leadership back to the preferred replica (the first in the metadata), so that
 * after failures the load is where the placement meant it to be.
 *
 * Careful by design: only when the preferred replica has been connected, replicating and
 * at most a few entries behind for a while without a break, one group per round, so that
 * balancing never looks like an outage.
 */
import type { GroupId, NodeId } from '../core/ids.ts';
import { metadataGroup } from '../core/ids.ts';
import type { GroupStatus } from '../host/vocabulary.ts';
import type { BrokerState } from './broker-state.ts';
import { placeOfGroup, subjectOf } from './metadata-replica.ts';

/** Entries that a preferred replica may be behind. */
const lagMax = 100;
const transferTimeoutMs = 2000;

/** Since when (monotonic) each group's preferred replica could take over. */
export type BalanceMemory = Map<GroupId, number>;

export async function balanceOnce(broker: BrokerState, since: BalanceMemory): Promise<void> {
  let moved = false;
  for (const group of broker.host.groups()) {
    const status = broker.host.status(group);
    const target = status === undefined ? undefined : candidate(broker, group, status);
    if (broker.stopping || status === undefined) return;
    if (target === undefined) since.delete(group);
    else if (!since.has(group)) since.set(group, broker.clock.monotonicMs());
    else if (!moved && broker.clock.monotonicMs() - (since.get(group) ?? 0) >= broker.maintenance.balanceStableMs) {
      moved = true;
      since.delete(group);
      await giveBackLeadership(broker, group, target);
    }
  }
}

async function giveBackLeadership(broker: BrokerState, group: GroupId, target: NodeId): Promise<void> {
  const subject = subjectOf(broker.metadata, group);
  try {
    await broker.host.transfer(group, target, transferTimeoutMs);
    broker.observer.onEvent({ kind: 'leadership-returned', subject, node: target });
  } catch (error) {
    broker.observer.onEvent({ kind: 'maintenance-failed', task: `transfer of ${subject} to node ${target}`, error });
  }
}

/** The preferred replica of a group led here, if it is another and ready to lead. The metadata has no preference. */
function candidate(broker: BrokerState, group: GroupId, status: GroupStatus): NodeId | undefined {
  const preferred = group === metadataGroup ? undefined : placeOfGroup(broker.metadata, group)?.partition.replicas[0];
  if (status.role !== 'leader' || preferred === undefined || preferred === broker.facts.nodeId) return undefined;
  const replica = status.replicas.find(({ node }) => node === preferred);
  const ready =
    replica !== undefined &&
    replica.active &&
    replica.state === 'replicate' &&
    status.last - replica.match <= lagMax &&
    status.membership.voters.includes(preferred) &&
    broker.host.isConnected(preferred);
  return ready ? preferred : undefined;
}
