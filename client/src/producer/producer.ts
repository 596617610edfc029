/** The producer that callers hold. */
import type { CallOptions } from '../cluster/call-scope.ts';
import { checkOpen, type ClientContext } from '../cluster/context.ts';
import { drainWaiting } from './admission.ts';
import type { SendResult } from './batch.ts';
import { closeProducer, flush } from './flush.ts';
import { createProducerState } from './producer-state.ts';
import type { ProducerRecord, TopicCodecs } from './record.ts';
import { send } from './send.ts';
import { sendAll, type SendAllResult } from './send-all.ts';
import { onViewChanged, pump } from './sender.ts';
import { type ProducerOptions, producerSettings } from './settings.ts';

export interface Producer<Key, Value> extends AsyncDisposable {
  /**
   * Sends one record; resolves when it is acknowledged. Records of one partition are
   * written in the order of the calls. While the buffer is full the call waits.
   *
   * Rejects with a BalsaError whose `effect` says whether the record may have been written.
   * After an unknown outcome the producer goes on under a new epoch: the lost record cannot
   * appear behind later ones.
   */
  readonly send: (record: ProducerRecord<Key, Value>, options?: CallOptions) => Promise<SendResult>;
  /** Sends all records, pulling them only as fast as the buffer takes them; rejects at the first failure. */
  readonly sendAll: (
    records: Iterable<ProducerRecord<Key, Value>> | AsyncIterable<ProducerRecord<Key, Value>>,
    options?: CallOptions,
  ) => Promise<SendAllResult>;
  /** Sends without waiting for linger; resolves when all that was given before is settled, well or not. */
  readonly flush: (options?: CallOptions) => Promise<void>;
  /** Flushes and ends; what is not settled by the time-out (default: deliveryTimeout) fails with CLOSED. */
  readonly close: (options?: CallOptions) => Promise<void>;
}

export function createProducer<Key, Value>(
  context: ClientContext,
  topic: string,
  codecs: TopicCodecs<Key, Value>,
  options: ProducerOptions,
): Producer<Key, Value> {
  checkOpen(context);
  const state = createProducerState(context, topic, producerSettings(options));
  const notify = () => onViewChanged(state);
  state.onRoom = () => drainWaiting(state);
  state.wake = (pipeline) => pump(state, pipeline);
  context.onViewChanged.add(notify);
  let closing: Promise<void> | undefined;
  const close = (closeOptions: CallOptions = {}) => {
    closing ??= closeProducer(state, closeOptions).finally(() => {
      context.onViewChanged.delete(notify);
      context.openHandles.delete(close);
    });
    return closing;
  };
  context.openHandles.add(close);
  return {
    send: (record, callOptions) => send(state, codecs, record, callOptions),
    sendAll: (records, callOptions) => sendAll(state, codecs, records, callOptions ?? {}),
    flush: (callOptions) => flush(state, callOptions ?? {}),
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}
