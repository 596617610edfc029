/** Translates earliest, latest or a point in time to an offset; linearizable, as fetch is. */
import type { Offset } from '../core/ids.ts';
import { viaHost } from './broker-error.ts';
import type { BrokerState } from './broker-state.ts';
import { offsetOfTime } from './batch-lookup.ts';
import { ledPartition } from './leadership.ts';

export type OffsetQuestion = { readonly at: 'earliest' } | { readonly at: 'latest' } | { readonly at: 'time'; readonly timeMs: number };

/** The offset; the high watermark if no record is late enough. */
export async function listOffset(broker: BrokerState, topic: string, partition: number, question: OffsetQuestion): Promise<Offset> {
  const { group, replica, subject } = ledPartition(broker, topic, partition);
  await viaHost(subject, broker.host.confirmRead(group, broker.limits.requestTimeoutMs));
  switch (question.at) {
    case 'earliest':
      return replica.state.logStart;
    case 'latest':
      return replica.state.nextOffset;
    case 'time':
      return offsetOfTime(broker.stateStore, replica, question.timeMs);
  }
}
