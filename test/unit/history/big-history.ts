/** A long correct history: concurrent producers and readers on four partitions, then drains. */
import type { HistoryEvent } from '@balsa/chaos/history/event.ts';
import { createHistory } from '@balsa/chaos/history/recorder.ts';

const partitions = 4;
const producers = 16;
const recordsPerSend = 1;

export function bigHistory(operations: number): HistoryEvent[] {
  let now = 0;
  const history = createHistory(() => (now += 1000));
  const logs: number[][] = Array.from({ length: partitions }, () => []);
  const positions = Array.from({ length: partitions }, () => 0);
  let nextId = 0;
  const read = (process: string, partition: number, from: number, count: number, source: 'client' | 'drain'): number => {
    const op = history.invoke({ f: 'poll', process, topic: 't', partition, source });
    const log = logs[partition]!;
    const records = log.slice(from, from + count).map((id, index) => ({ offset: from + index, id, fingerprint: id }));
    history.complete(op, { type: 'ok', records, highWatermark: log.length, logStart: 0 });
    return from + records.length;
  };
  for (let round = 0; round * (producers + partitions) < operations; round += 1) {
    const open = Array.from({ length: producers }, (_, session) => {
      const partition = session % partitions;
      const records = Array.from({ length: recordsPerSend }, () => ({ id: nextId++ })).map(({ id }) => ({ id, fingerprint: id }));
      const process = `p${session}`;
      const call = { process, session: process, topic: 't', partition, acks: 'quorum', idempotent: true, records } as const;
      return { op: history.invoke({ f: 'send', ...call }), partition, records };
    });
    for (const { op, partition, records } of open.toReversed()) {
      const log = logs[partition]!;
      const offsets = records.map((_, index) => log.length + index);
      log.push(...records.map(({ id }) => id));
      history.complete(op, { type: 'ok', offsets, batches: [recordsPerSend] });
    }
    for (let partition = 0; partition < partitions; partition += 1) {
      positions[partition] = read(`r${partition}`, partition, positions[partition]!, 100, 'client');
    }
  }
  for (let partition = 0; partition < partitions; partition += 1) {
    for (let next = 0; next < logs[partition]!.length; ) next = read(`d${partition}`, partition, next, 500, 'drain');
  }
  return [...history];
}
