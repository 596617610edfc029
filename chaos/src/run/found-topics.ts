/** Creates the topics of a scenario, writes that into the history, and lets each node lead what it shall. */
import type { Balsa } from '@balsa/client';
import type { HistoryRecorder } from '../history/recorder.ts';
import type { TopicPlan } from '../scenario/scenario.ts';
import { settleLeaders } from './settle-leaders.ts';

const createTimeoutMs = 30_000;

export async function foundTopics(balsa: Balsa, topics: readonly TopicPlan[], history: HistoryRecorder): Promise<void> {
  for (const { name, partitions, replicas, config } of topics) {
    const settings = Object.fromEntries(Object.entries(config).map(([key, value]) => [key, String(value)]));
    const op = history.invoke({ f: 'create-topic', process: 'founder', topic: name, retention: mayShrink(config) });
    const created = await balsa.admin.topics.create(name, { partitions, replicas, config: settings }, { timeout: createTimeoutMs });
    history.complete(op, { type: 'ok', incarnation: String(created.partitions[0]?.groupId) });
    await settleLeaders(balsa, name);
  }
}

/** Whether old records of the topic may be removed. */
export const mayShrink = (config: TopicPlan['config']): boolean => 'retention.bytes' in config || 'retention.ms' in config;
