/**
 * Retention: the leader proposes a new log start, all replicas apply it, and each host
 * then cuts its log as far as a checkpoint allows.
 *
 * Bounded work: a round looks at every partition with a handful of index look-ups, one
 * partition at a time, and deletes at most `timestampRowsMax` old index rows of each.
 */
import type { Offset } from '../core/ids.ts';
import { encodeTrim } from '../core/machines/partition/command.ts';
import { nextStampMs } from '../core/machines/partition/state.ts';
import type { EffectiveTopicSettings } from '../core/machines/metadata/topic-settings.ts';
import type { StateWrite } from '../ports/state-store.ts';
import { firstReaching, firstWithin } from './batch-lookup.ts';
import { positionMax, positions, readTimestampRow } from './batch-rows.ts';
import { viaHost } from './broker-error.ts';
import type { BrokerState } from './broker-state.ts';
import { partitionName, placeOfGroup, settingsOf } from './metadata-replica.ts';
import type { PartitionReplica } from './partition-replica.ts';

const timestampRowsMax = 1000;

/** One round over all partitions of this node. */
export async function retainOnce(broker: BrokerState): Promise<void> {
  for (const [group, replica] of broker.replicas) {
    if (broker.stopping) return;
    const place = placeOfGroup(broker.metadata, group);
    if (place === undefined) continue;
    try {
      const settings = settingsOf(broker.metadata, place.topic);
      if (broker.host.status(group)?.role === 'leader') await trimExpired(broker, replica, settings, partitionName(place));
      await dropOldTimestamps(broker, replica);
      await broker.host.compact(group);
    } catch (error) {
      broker.observer.onEvent({ kind: 'maintenance-failed', task: `retention of ${partitionName(place)}`, error });
    }
  }
}

async function trimExpired(
  broker: BrokerState,
  replica: PartitionReplica,
  settings: EffectiveTopicSettings,
  subject: string,
): Promise<void> {
  const logStart = await firstToKeep(broker, replica, settings);
  if (logStart <= replica.state.logStart) return;
  const command = encodeTrim({ stampMs: nextStampMs(replica.state, broker.clock.wallMs()), logStart });
  const options = { durability: 'quorum', timeoutMs: broker.limits.requestTimeoutMs } as const;
  await viaHost(subject, broker.host.propose(replica.key.group, command, options));
  broker.observer.onEvent({ kind: 'trimmed', subject, logStart });
}

/** First offset that both limits allow to stay; always the start of a batch or the end of the log. */
export async function firstToKeep(broker: BrokerState, replica: PartitionReplica, settings: EffectiveTopicSettings): Promise<Offset> {
  const { retentionMs, retentionBytes } = settings;
  let keep = replica.state.logStart;
  if (retentionMs !== undefined) {
    const end = replica.state.nextOffset;
    const young = await firstReaching(broker.stateStore, replica, broker.clock.wallMs() - retentionMs);
    // Nothing young: all of it goes, but not what was appended while this was looked up. Records without a time never expire.
    const expired = young ?? (replica.largestMs < 0 ? keep : end);
    if (expired > keep) keep = expired;
  }
  if (retentionBytes === undefined) return keep;
  const small = await firstWithin(broker.stateStore, replica, retentionBytes);
  return small > keep ? small : keep;
}

/** Rows of trimmed batches, except the newest of them, which still says how old the rest is. */
async function dropOldTimestamps({ stateStore }: BrokerState, { key, state }: PartitionReplica): Promise<void> {
  if (state.logStart === 0) return;
  const rows = await stateStore.range('timestamps', { ...positions(key, 0, positionMax), limit: timestampRowsMax });
  const old = rows.filter(([rowKey, value]) => readTimestampRow(rowKey, value).baseOffset < state.logStart).slice(0, -1);
  if (old.length > 0) await stateStore.write(old.map(([rowKey]): StateWrite => ({ op: 'delete', family: 'timestamps', key: rowKey })));
}
