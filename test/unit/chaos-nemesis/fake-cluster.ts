/** A cluster without processes for the schedule executor, and faults that only write down what was asked of them. */
import { once } from 'node:events';
import type { Balsa } from '@balsa/client';
import type { ChaosNode } from '@balsa/chaos/cluster/chaos-node.ts';
import { createChance } from '@balsa/chaos/nemesis/chance.ts';
import { defineFault, type Fault, type NemesisCluster } from '@balsa/chaos/nemesis/fault.ts';
import type { NemesisOptions } from '@balsa/chaos/nemesis/nemesis.ts';
import type { TimelineEvent } from '@balsa/chaos/record/timeline.ts';
import * as z from 'zod';

export interface FakeRun {
  readonly options: NemesisOptions;
  readonly faults: ReadonlyMap<string, Fault>;
  readonly timeline: TimelineEvent[];
  /** What was done, in order: "begin a [1]", "prove a", "heal a". */
  readonly log: string[];
  /** Leader of orders/0; change it to move the leadership. */
  leader: number | undefined;
  acked: number;
  readonly stop: AbortController;
}

const nodes = [1, 2, 3];

export function fakeRun(): FakeRun {
  const log: string[] = [];
  const timeline: TimelineEvent[] = [];
  const stop = new AbortController();
  const run: FakeRun = { options: undefined as never, faults: fakeFaults(log), timeline, log, leader: 2, acked: 0, stop };
  const cluster = { nodes: nodes.map((id) => ({ id, state: () => 'running' }) as ChaosNode) } as unknown as NemesisCluster;
  const options: NemesisOptions = {
    cluster,
    admin: fakeAdmin(run),
    load: {
      setRate: () => undefined,
      setRepeats: () => undefined,
      repeats: () => ({ sent: 0, duplicates: 0 }),
      crashProducer: async () => ({ producer: 'p', unanswered: 0 }),
    },
    random: createChance(1),
    partition: { topic: 'orders', partition: 0 },
    control: () => {
      throw new Error('there is no control channel here');
    },
    expectEnding: () => () => undefined,
    nowNs: () => Math.round(performance.now() * 1e6),
    timeline: (event) => timeline.push(event),
    acked: () => run.acked,
    untilCalm: async (withinMs) => {
      log.push(`calm ${withinMs}`);
      return true;
    },
    signal: stop.signal,
  };
  return Object.assign(run, { options });
}

function fakeAdmin(run: { readonly leader: number | undefined }): Balsa {
  const group = () => ({ groupId: 1, topic: 'orders', partition: 0, leader: run.leader, term: 1, replicas: [] });
  const admin = {
    topics: { describe: async () => ({ name: 'orders', partitions: [{ partition: 0, groupId: 1, replicas: nodes }] }) },
    raft: { status: async () => ({ groups: [group()], unreachable: [] }) },
  };
  return { admin } as unknown as Balsa;
}

function fakeFaults(log: string[]): ReadonlyMap<string, Fault> {
  const fault = (name: string, scope: 'nodes' | 'cluster' = 'nodes'): Fault =>
    defineFault({
      name,
      family: 'process',
      summary: name,
      parameters: z.strictObject({
        beginFails: z.boolean().default(false),
        healFails: z.boolean().default(false),
        provesLate: z.boolean().default(false),
      }),
      scope,
      describe: (struck) => `${name} of ${struck}`,
      begin: async (_, struck, { beginFails, healFails, provesLate }) => {
        log.push(`begin ${name} [${struck.join(',')}]`);
        if (beginFails) throw new Error('it resists');
        return {
          prove: async (ending) => {
            // Some effects need an occasion that never comes.
            if (provesLate && !ending.aborted) await once(ending, 'abort');
            log.push(`prove ${name}`);
            return [{ claim: `${name} works`, holds: true, evidence: 'seen' }];
          },
          heal: async () => {
            log.push(`heal ${name}`);
            if (healFails) throw new Error('it stays');
          },
        };
      },
    });
  return new Map([fault('a'), fault('b'), fault('c'), fault('whole', 'cluster')].map((each) => [each.name, each]));
}
