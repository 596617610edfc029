/** One record to one partition: whether it serves. */
import { type Balsa, BalsaError } from '@balsa/client';
import { failure } from './recorder.ts';
import { fingerprint, makeValue } from './values.ts';
import type { Worker } from './worker.ts';

const timeoutMs = 3000;

export async function sendOnce({ recorder, name, wallMs }: Worker, balsa: Balsa, topic: string, partition: number): Promise<boolean> {
  const session = `${name}#${recorder.next()}`;
  const timestamp = wallMs();
  const { id, bytes } = makeValue(recorder.next(), 0);
  const records = [{ id, fingerprint: fingerprint(null, bytes, timestamp) }];
  const producer = balsa.topic(topic).producer({ deliveryTimeout: timeoutMs });
  const complete = recorder.invoke({ f: 'send', process: session, session, topic, partition, acks: 'quorum', idempotent: true, records });
  try {
    const { offset } = await producer.send({ value: bytes, partition, timestamp });
    complete({ type: 'ok', offsets: [offset === undefined ? null : Number(offset)] });
    return true;
  } catch (error) {
    if (!(error instanceof BalsaError)) throw error;
    complete(failure(error));
    return false;
  } finally {
    await producer.close().catch(() => {});
  }
}
