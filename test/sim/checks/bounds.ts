/** I-R12: what a node holds stays within the limits that it was given. */
import type { SimNode } from '../world/sim-node.ts';
import { require } from './sim-failure.ts';

/** One request is let in whole, however large: the batch of the workload is far below. */
const requestBytesMax = 256 * 1024;

export function checkBounds({ id, life, config, hostLimits }: SimNode): void {
  if (life === undefined) return;
  const { host, broker, storage } = life;
  const { produceBytesInflightMax, fetchBytesInflightMax } = config.limits;
  const proposals = host.proposalBytes();
  const { produce, fetch } = broker.bytesInflight();
  const { cachedBytes } = storage.journal.stats();
  const facts = () => ({ node: id, proposals, produce, fetch, cachedBytes, hostLimits });
  // One message from the leader is let in whole while there is room at all.
  const unsyncedMax = (hostLimits.unsyncedBytesMax ?? unsyncedBytesMax) + messageBytesMax;
  require(proposals <= 2 * produceBytesInflightMax, 'I-R12 proposals are bounded', facts);
  require(produce <= produceBytesInflightMax + requestBytesMax, 'I-R12 produce requests are bounded', facts);
  require(fetch <= fetchBytesInflightMax + requestBytesMax, 'I-R12 fetch answers are bounded', facts);
  // What is not on disk yet stays in the cache, whatever its size.
  require(cachedBytes <= config.journal.cacheBytes + unsyncedMax, 'I-R12 the cache is bounded', facts);
}
/** No run has more under way to a disk; the limit of the host is far above. */
const unsyncedBytesMax = 1024 * 1024;
/** raft.appendBytesMax, and what the cache counts for each entry besides. */
const messageBytesMax = 2 * 1024 * 1024;
