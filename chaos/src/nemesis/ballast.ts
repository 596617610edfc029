/**
 * Bytes that nobody wants, written to certain nodes until they take no more. A broker prepares
 * space ahead and notices only when that is used up that its disk has none.
 *
 * They go to a topic of their own that has one replica of each partition, so that nobody
 * else is filled. It is deleted at the end.
 */
import { bytes } from '@balsa/client';
import { repeatEvery } from './begun.ts';
import type { FaultContext } from './fault.ts';

const recordBytes = 900 * 1024;
const batchBytesMax = 1024 * 1024;
/** At a time, to each node. */
const recordsPerRound = 8;
/** To each node: enough for all segments that are prepared, twice. */
const bytesMax = 300 * 1024 * 1024;
const refusedMs = 2_000;
const orderMsMax = 10_000;
const roundPauseMs = 5;

export interface Ballast {
  readonly stop: () => Promise<void>;
}

/** Begins to fill; the nodes refuse sooner or later. */
export async function startBallast({ admin, cluster, random }: FaultContext, nodes: readonly number[]): Promise<Ballast> {
  const name = `ballast-${random.below(1_000_000)}`;
  const { partitions } = await admin.admin.topics.create(name, { partitions: cluster.nodes.length, replicas: 1 }, { timeout: orderMsMax });
  const aims = partitions.filter(({ replicas }) => replicas.some((node) => nodes.includes(node)));
  const producer = admin.topic(name, { value: bytes }).producer({ acks: 'leader', batchBytesMax, deliveryTimeout: refusedMs });
  // Each for itself: one that refuses slowly holds up no other.
  const fillings = aims.map(({ partition }) => {
    let sentBytes = 0;
    return repeatEvery(roundPauseMs, async () => {
      if (sentBytes >= bytesMax) return;
      sentBytes += recordsPerRound * recordBytes;
      const round = Array.from({ length: recordsPerRound }, () => producer.send({ partition, value: filler }));
      // A refusal is what is wanted; whether the disk is full is seen elsewhere.
      await Promise.allSettled(round);
    });
  });
  return {
    stop: async () => {
      await Promise.all(fillings.map((filling) => filling.stop()));
      await producer.close();
      await admin.admin.topics.delete(name, { timeout: orderMsMax });
    },
  };
}

const filler = new Uint8Array(recordBytes).fill(0x2e);
