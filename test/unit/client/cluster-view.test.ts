import type { GetMetadataResponse } from '@balsa/proto/client';
import { BalsaError } from '@balsa/client';
import { describe, expect, test } from 'vitest';
import { absorbHint, absorbMetadata, createClusterView, forgetLeader, leaderOf } from '../../../client/src/cluster/cluster-view.ts';
import { createExchangePool, request, resetSilentExchange } from '../../../client/src/cluster/exchange.ts';
import { withRetries } from '../../../client/src/cluster/broker-call.ts';
import { boundedMap } from '../../../client/src/cluster/bounded-map.ts';
import { createContext } from '../../../client/src/cluster/context.ts';
import { DataServiceService, type ProduceResponse } from '@balsa/proto/client';
import { createFakeWorld } from './fake-world.ts';
import { createVirtualClock, seededRandom } from './virtual-clock.ts';

interface Row {
  readonly leader: number;
  readonly term: number;
  readonly groupId?: number;
}

function answer(rows: readonly Row[], extra: Partial<GetMetadataResponse> = {}): GetMetadataResponse {
  const partitions = rows.map(({ leader, term, groupId }, partition) => {
    return { partition, groupId: groupId ?? partition + 1, replicaNodeIds: [1, 2], leaderNodeId: leader, leaderTerm: term };
  });
  const nodes = [1, 2].map((nodeId) => {
    return { nodeId, clientAddress: `n${nodeId}:1`, peerAddress: '', httpAddress: '', zone: '', connected: true };
  });
  const topics = rows.length === 0 ? [] : [{ name: 't', partitions, replicationFactor: 2, config: {} }];
  return { clusterId: 'c', nodes, topics, controllerNodeId: 1, answeringNodeId: 2, ...extra };
}

function viewOf(...rows: Row[]) {
  const view = createClusterView();
  absorbMetadata(view, answer(rows), ['t']);
  return view;
}

describe('cluster view', () => {
  test('news of a lower term loses, of a higher term wins, also without a leader', () => {
    const view = viewOf({ leader: 1, term: 5 });
    absorbMetadata(view, answer([{ leader: 2, term: 4 }]), ['t']);
    expect(leaderOf(view, 't', 0)).toEqual({ nodeId: 1, term: 5, address: 'n1:1' });
    absorbMetadata(view, answer([{ leader: 0, term: 5 }]), ['t']);
    expect(leaderOf(view, 't', 0)?.nodeId).toBe(1);
    absorbMetadata(view, answer([{ leader: 0, term: 6 }]), ['t']);
    expect(leaderOf(view, 't', 0)).toBeUndefined();
    absorbMetadata(view, answer([{ leader: 2, term: 6 }]), ['t']);
    expect(leaderOf(view, 't', 0)?.nodeId).toBe(2);
  });

  test('a topic made anew starts over, although its terms are lower', () => {
    const view = viewOf({ leader: 1, term: 5 }, { leader: 1, term: 5 });
    absorbMetadata(view, answer([{ leader: 2, term: 1, groupId: 9 }]), ['t']);
    expect(leaderOf(view, 't', 0)).toMatchObject({ nodeId: 2, term: 1 });
    expect(view.topics.get('t')).toHaveLength(1);
    absorbMetadata(view, answer([{ leader: 1, term: 5 }]), ['t']);
    expect(leaderOf(view, 't', 0), 'old news of the old topic').toMatchObject({ nodeId: 2, term: 1 });
  });

  test('a lagging broker does not take added partitions away', () => {
    const view = viewOf({ leader: 1, term: 1 }, { leader: 2, term: 1 });
    absorbMetadata(view, answer([{ leader: 1, term: 1 }]), ['t']);
    expect(view.topics.get('t')).toHaveLength(2);
  });

  test('only the metadata leader can say that a topic is gone', () => {
    const view = viewOf({ leader: 1, term: 1 });
    absorbMetadata(view, answer([]), ['t']);
    expect(view.topics.has('t')).toBe(true);
    absorbMetadata(view, answer([], { answeringNodeId: 1 }), ['other']);
    expect(view.topics.has('t')).toBe(true);
    absorbMetadata(view, answer([], { answeringNodeId: 1 }), ['t']);
    expect(view.topics.has('t')).toBe(false);
  });

  test('hints win by term; a hint without term replaces what is known', () => {
    const view = viewOf({ leader: 1, term: 5 });
    expect(absorbHint(view, 't', 0, { nodeId: 2, term: 4 })).toBe(false);
    expect(absorbHint(view, 't', 0, { nodeId: 1, term: 5 })).toBe(false);
    expect(absorbHint(view, 't', 0, { nodeId: 2, term: 0 })).toBe(true);
    expect(leaderOf(view, 't', 0)).toMatchObject({ nodeId: 2, term: 5 });
    expect(absorbHint(view, 't', 0, { nodeId: 1, term: 6 })).toBe(true);
    forgetLeader(view, 't', 0, 2);
    expect(leaderOf(view, 't', 0)?.nodeId).toBe(1);
    forgetLeader(view, 't', 0, 1);
    expect(leaderOf(view, 't', 0)).toBeUndefined();
  });

  test('a foreign cluster is refused and changes nothing', () => {
    const view = viewOf({ leader: 1, term: 1 });
    expect(() => absorbMetadata(view, answer([{ leader: 2, term: 9 }], { clusterId: 'x' }), ['t'])).toThrow(/WRONG_CLUSTER/);
    expect(leaderOf(view, 't', 0)?.nodeId).toBe(1);
  });
});

describe('exchange', () => {
  function pool(replies: 'all' | 'none' | 'first') {
    const clock = createVirtualClock();
    let closed = 0;
    let sent = 0;
    const transport = {
      unary: () => Promise.reject(new BalsaError('CLOSED')),
      openStream: (_: string, __: unknown, handler: { onMessage: (message: never) => void }) => ({
        send: ({ correlation }: { correlation: number }) => {
          sent++;
          if (replies === 'all' || (replies === 'first' && sent === 1)) clock.after(5, () => handler.onMessage({ correlation } as never));
        },
        close: () => void closed++,
      }),
      close: () => undefined,
    };
    return { clock, pool: createExchangePool(transport as never, clock, DataServiceService.produce), closed: () => closed };
  }
  const build = (correlation: number) => ({ correlation }) as never;

  test('a stream that is silent since the request is broken and its requests fail', async () => {
    const { clock, pool: silent, closed } = pool('none');
    const replies: (ProduceResponse | BalsaError)[] = [];
    const sentAtMs = clock.monotonicMs();
    request(silent, 'a:1', build, (reply) => replies.push(reply));
    await clock.advance(10);
    resetSilentExchange(silent, 'a:1', sentAtMs);
    expect(replies).toMatchObject([{ code: 'CONNECTION_LOST', effect: 'unknown' }]);
    expect(closed()).toBe(1);
  });

  test('a stream over which something came is kept', async () => {
    const { clock, pool: busy, closed } = pool('first');
    const replies: (ProduceResponse | BalsaError)[] = [];
    const sentAtMs = clock.monotonicMs();
    for (let count = 0; count < 2; count++) request(busy, 'a:1', build, (reply) => replies.push(reply));
    await clock.advance(10);
    resetSilentExchange(busy, 'a:1', sentAtMs);
    expect(replies).toHaveLength(1);
    expect(closed()).toBe(0);
  });

  test('interest that was dropped is not told', async () => {
    const { clock, pool: lively } = pool('all');
    const drop = request(lively, 'a:1', build, () => expect.fail('nobody is interested'));
    drop();
    await clock.advance(10);
  });
});

describe('retries', () => {
  test('end at the deadline, with the last reason', async () => {
    const { clock, network } = createFakeWorld();
    const ports = { clock, random: seededRandom(1), transport: network.transport };
    const context = createContext({ ports, clientId: 'x', requestTimeoutMs: 1_000, seeds: ['node1:7070'] });
    let tries = 0;
    const scope = { deadlineMs: clock.monotonicMs() + 2_000, signal: undefined };
    const attempt = () => {
      tries++;
      return Promise.reject(new BalsaError('DISK_FULL'));
    };
    await expect(clock.run(withRetries(context, scope, attempt))).rejects.toThrow(/TIMEOUT.*DISK_FULL/);
    expect(tries).toBeGreaterThan(5);
    expect(tries).toBeLessThan(40);
  });
});

test('a bounded map keeps the order and the bound', async () => {
  const clock = createVirtualClock();
  let running = 0;
  let most = 0;
  const work = async (item: number) => {
    most = Math.max(most, ++running);
    await new Promise<void>((resolve) => clock.after(10 - item, resolve));
    running--;
    return item * 2;
  };
  expect(await clock.run(boundedMap([1, 2, 3, 4, 5, 6, 7], 3, work))).toEqual([2, 4, 6, 8, 10, 12, 14]);
  expect(most).toBe(3);
});
