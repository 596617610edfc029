/**
 * Producer ids: unique in the cluster, never reused. A node takes them from the metadata
 * group in blocks, so that starting a producer seldom needs a cluster-wide write; what is
 * left of a block at a restart is lost.
 */
import { metadataGroup, noNode } from '../core/ids.ts';
import { brokerError } from './broker-error.ts';
import type { BrokerState } from './broker-state.ts';
import { leaderOf } from './leadership.ts';
import { metadataSubject } from './metadata-replica.ts';
import { writeMetadata } from './metadata-write.ts';
import { waitUntil } from './pause.ts';

export const idsPerBlock = 1000;

export async function nextProducerId(broker: BrokerState): Promise<number> {
  const block = broker.producerIds;
  // Those who waited for the same block may have used it up before this one resumes.
  while (block.next >= block.end) {
    block.pending ??= refill(broker).finally(() => {
      block.pending = undefined;
    });
    await block.pending;
  }
  const id = block.next;
  block.next += 1;
  return id;
}

async function refill(broker: BrokerState): Promise<void> {
  const { clock, limits, facts } = broker;
  const known = (): boolean => leaderOf(broker, metadataGroup).leader !== noNode;
  await waitUntil(clock, limits.requestTimeoutMs, known);
  const { leader } = leaderOf(broker, metadataGroup);
  if (leader === noNode) throw brokerError('LEADER_NOT_AVAILABLE', `No leader of ${metadataSubject} is known here at the moment.`);
  const first =
    leader === facts.nodeId
      ? await allocateProducerIds(broker, idsPerBlock)
      : await broker.leaderCalls.allocateProducerIds(leader, idsPerBlock, limits.requestTimeoutMs);
  broker.producerIds.next = first;
  broker.producerIds.end = first + idsPerBlock;
}

/** On the metadata leader: the first id of a new block. */
export async function allocateProducerIds(broker: BrokerState, count: number): Promise<number> {
  const done = await writeMetadata(broker, { type: 'allocate-producer-ids', count }, broker.limits.requestTimeoutMs);
  return done.firstId;
}
