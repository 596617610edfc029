/** Probes on a fixed schedule to one partition, and what became of them. */
import type { Producer } from '@balsa/client';

const periodMs = 10;
/** Probes unanswered at a time; a schedule that falls this far behind is a failure to be seen, not to be buffered. */
const openMax = 5000;

export interface Probes {
  /** Times (performance.now) at which the acknowledged probes were due and answered, in the order of their answers. */
  readonly answers: readonly { readonly dueMs: number; readonly ackedMs: number }[];
  /** Ends the schedule, waits for the open probes, and gives the acknowledged values. */
  readonly stop: () => Promise<{ readonly values: ReadonlySet<string>; readonly failed: number }>;
}

export function startProbes(producer: Producer<Uint8Array, string>): Probes {
  const answers: { dueMs: number; ackedMs: number }[] = [];
  const values = new Set<string>();
  const open = new Set<Promise<void>>();
  const startMs = performance.now();
  let sent = 0;
  let failed = 0;
  const send = (dueMs: number): void => {
    const value = `probe-${sent}`;
    sent += 1;
    const done = producer.send({ value }).then(
      () => {
        values.add(value);
        answers.push({ dueMs, ackedMs: performance.now() });
      },
      () => {
        failed += 1;
      },
    );
    open.add(done);
    void done.finally(() => open.delete(done));
  };
  const timer = setInterval(() => {
    while (startMs + sent * periodMs <= performance.now() && open.size < openMax) send(startMs + sent * periodMs);
  }, periodMs / 2);
  return {
    answers,
    stop: async () => {
      clearInterval(timer);
      await Promise.all(open);
      await producer.close();
      return { values, failed };
    },
  };
}
