/** Each partition comes to be led by its preferred replica, whatever the birth made of it. */
import { settleLeaders } from '@balsa/chaos/run/settle-leaders.ts';
import { BalsaError, type PartitionDescription } from '@balsa/client';
import { expect, test } from 'vitest';

/** A cluster that knows who leads what, and hands leadership over when it is told to, the first `refusals` times not. */
function cluster(leaders: readonly (number | undefined)[], refusals = 0) {
  const partitions = leaders.map((leader, partition): PartitionDescription => {
    const first = (partition % 3) + 1;
    return { partition, groupId: partition + 10, replicas: [first, (first % 3) + 1, ((first + 1) % 3) + 1], leader, term: 1 };
  });
  const orders: [number, number | undefined][] = [];
  let questions = 0;
  let left = refusals;
  const admin = {
    topics: {
      describe: async () => {
        questions += 1;
        // An election ends while the others are being asked.
        if (questions === 2) partitions.forEach((each, i) => (partitions[i] = { ...each, leader: each.leader ?? 3 }));
        return { name: 'orders', replicas: 3, config: {}, partitions };
      },
    },
    raft: {
      transfer: async (groupId: number, target?: { readonly to?: number | undefined }) => {
        orders.push([groupId, target?.to]);
        if (left-- > 0) throw new BalsaError('TIMEOUT');
        partitions[groupId - 10] = { ...partitions[groupId - 10]!, leader: target?.to };
        return { groupId, leader: target?.to ?? 0 };
      },
    },
  };
  return { admin, orders };
}

test('partitions that are led as they shall be are left alone', async () => {
  const { admin, orders } = cluster([1, 2, 3, 1]);
  expect(await settleLeaders({ admin }, 'orders')).toBe(true);
  expect(orders).toEqual([]);
});

test('the others are handed over, also when the first order is refused or there is no leader yet', async () => {
  const { admin, orders } = cluster([1, 3, undefined, 3], 1);
  expect(await settleLeaders({ admin }, 'orders')).toBe(true);
  expect(orders).toEqual([
    [11, 2],
    [13, 1],
    [11, 2],
  ]);
});
