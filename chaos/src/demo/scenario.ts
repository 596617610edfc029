/**
 * The tour: load on three real brokers, kill -9 of a leader in the middle of it, restart,
 * read everything back, check it. Returns figures; it judges and prints nothing final.
 */
import { connect, text } from '@balsa/client';
import type { Balsa } from '@balsa/client';
import type { LocalCluster } from '@balsa/node/local-cluster/local-cluster.ts';
import { setTimeout as delay } from 'node:timers/promises';
import { checkPerKey } from '../history/per-key-check.ts';
import { awaitTakeover, killLeader } from './leader-kill.ts';
import { readBack } from './read-back.ts';
import type { Screen } from '../terminal/screen.ts';
import type { DemoResult } from './summary.ts';
import { createSendLog, sendAll, sentRecords } from './workload.ts';
import type { SendLog } from './workload.ts';

export interface ScenarioOptions {
  readonly records: number;
  readonly keys: number;
  readonly valueBytes: number;
  readonly partitions: number;
}

const topic = 'demo';
/** The partition whose leader is killed, and when: after this share of the records. */
const victimPartition = 0;
const killShare = 0.3;
/** The dead broker comes back after this share, or when the load is over. */
const restartShare = 0.7;
const pollMs = 20;
const count = (value: number): string => value.toLocaleString('en-US');

export async function runScenario(
  cluster: LocalCluster,
  options: ScenarioOptions,
  screen: Screen,
  signal: AbortSignal,
): Promise<DemoResult> {
  await cluster.waitReady();
  screen.step(`${cluster.nodes.length} brokers are ready, each a process of its own`);
  await using balsa = await connect(cluster.address, { clientId: 'demo', signal });
  await balsa.admin.topics.create(topic, { partitions: options.partitions, replicas: cluster.nodes.length }, { signal });
  screen.step(`topic "${topic}": ${options.partitions} partitions, ${cluster.nodes.length} replicas each, acks after fsync on a majority`);

  const log = createSendLog(options, performance.now());
  await sendUnderFire(balsa, cluster, log, screen, signal);
  signal.throwIfAborted();
  const longestGapMs = Math.max(0, ...[...log.gaps.values()].map((gaps) => gaps.longestMs));
  screen.step(`${count(log.acked)} of ${count(options.records)} records acknowledged`);

  const history = await readBack(balsa, topic, signal, (records) => screen.progress(`read ${count(records)}`));
  screen.step(`${count(history.records.length)} records read back, checking every key`);
  const verdict = checkPerKey(sentRecords(log), history.records);
  return { verdict, longestGapMs, sendMs: log.endMs - log.startMs, readMs: history.elapsedMs, bytes: history.bytes };
}

/** Sends everything; meanwhile a leader dies and comes back. */
async function sendUnderFire(balsa: Balsa, cluster: LocalCluster, log: SendLog, screen: Screen, signal: AbortSignal): Promise<void> {
  const producer = balsa.topic(topic, { key: text, value: text }).producer();
  let done = false;
  const sending = sendAll(producer, log, signal).finally(() => {
    done = true;
  });
  const acked = async (share: number): Promise<void> => {
    while (!done && !signal.aborted && log.acked < log.options.records * share) {
      screen.progress(`acknowledged ${count(log.acked)} of ${count(log.options.records)}`);
      await delay(pollMs);
    }
  };
  try {
    await acked(killShare);
    signal.throwIfAborted();
    const kill = await killLeader(balsa, cluster, topic, victimPartition);
    screen.step(`kill -9 of node ${kill.victim.id}, the leader of ${topic}/${victimPartition}, after ${count(log.acked)} acks`);
    const takeover = await awaitTakeover(balsa, kill, topic, victimPartition, signal);
    if (takeover !== undefined) screen.step(`node ${takeover.nodeId} leads, seen after ${Math.round(takeover.afterMs)} ms`);
    await acked(restartShare);
    signal.throwIfAborted();
    kill.victim.start();
    await cluster.waitReady();
    screen.step(`node ${kill.victim.id} is back and has caught up`);
    await acked(1);
  } finally {
    await sending;
    if (!signal.aborted) await producer.close();
  }
}
