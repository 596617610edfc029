/** Many records in one call, without a promise per record. */
import { type CallOptions, openScope, withinScope } from '../cluster/call-scope.ts';
import type { BalsaError } from '../errors.ts';
import { submit } from './admission.ts';
import type { Delivery } from './batch.ts';
import type { ProducerState, Submission } from './producer-state.ts';
import type { ProducerRecord, TopicCodecs } from './record.ts';
import { toSubmission } from './send.ts';

export interface SendAllResult {
  /** Records acknowledged. */
  readonly count: number;
  /** Offset of the last record per partition; partitions whose offsets are not known are missing. */
  readonly lastOffsets: ReadonlyMap<number, bigint>;
}

export async function sendAll<Key, Value>(
  state: ProducerState,
  codecs: TopicCodecs<Key, Value>,
  records: Iterable<ProducerRecord<Key, Value>> | AsyncIterable<ProducerRecord<Key, Value>>,
  options: CallOptions,
): Promise<SendAllResult> {
  const { clock } = state.context.ports;
  const scope = openScope(clock, options, Number.POSITIVE_INFINITY);
  const progress = createProgress();
  for await (const record of records) {
    if (progress.failure !== undefined) break;
    const submission: Submission = { ...toSubmission(state, codecs, record), delivery: progress.delivery };
    progress.pending++;
    if (submit(state, submission)) continue;
    const admitted = new Promise<void>((resolve) => {
      submission.onAdmitted = resolve;
    });
    await withinScope(clock, scope, admitted);
  }
  await withinScope(clock, scope, progress.allSettled());
  if (progress.failure !== undefined) throw progress.failure;
  return { count: progress.count, lastOffsets: progress.lastOffsets };
}

interface Progress {
  count: number;
  pending: number;
  failure: BalsaError | undefined;
  readonly lastOffsets: Map<number, bigint>;
  readonly delivery: Delivery;
  readonly allSettled: () => Promise<void>;
}

function createProgress(): Progress {
  let onIdle: (() => void) | undefined;
  const settleOne = () => {
    progress.pending--;
    if (progress.pending === 0) onIdle?.();
  };
  const progress: Progress = {
    count: 0,
    pending: 0,
    failure: undefined,
    lastOffsets: new Map(),
    delivery: {
      resolve: ({ partition, offset }) => {
        progress.count++;
        if (offset !== undefined) progress.lastOffsets.set(partition, offset);
        settleOne();
      },
      reject: (error) => {
        progress.failure ??= error;
        settleOne();
      },
    },
    allSettled: () =>
      new Promise((resolve) => {
        if (progress.pending === 0) resolve();
        else onIdle = resolve;
      }),
  };
  return progress;
}
