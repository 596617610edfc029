/**
 * Closed-loop load: every producer keeps a window of records under way. Latency is from
 * `send` to the acknowledgement, the wait in the client's buffer included.
 */
import { randomBytes } from 'node:crypto';
import type { Acks, Balsa } from '../../src/mod.ts';
import { SendWindow } from '../send-window.ts';
import { Latencies } from './latencies.ts';
import type { LatencySummary } from './latencies.ts';

export interface LoadOptions {
  readonly recordBytes: number;
  readonly acks: Acks;
  readonly producers: number;
  /** Records under way per producer. */
  readonly window: number;
  /** Ends the load, whichever comes first. */
  readonly recordsMax: number;
  readonly durationMsMax: number;
  /** Sends one record per producer first, uncounted: it fetches metadata and opens connections. */
  readonly warmUp: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (acked: number) => void;
}

export interface LoadResult {
  readonly records: number;
  readonly bytes: number;
  readonly elapsedMs: number;
  readonly latency: LatencySummary;
}

export async function runLoad(balsa: Balsa, topic: string, options: LoadOptions): Promise<LoadResult> {
  const value = randomBytes(options.recordBytes);
  const latencies = new Latencies();
  const producers = Array.from({ length: options.producers }, () => balsa.topic(topic).producer({ acks: options.acks }));
  if (options.warmUp) await Promise.all(producers.map((producer) => producer.send({ value }, { signal: options.signal })));
  const startMs = performance.now();
  let [started, acked] = [0, 0];
  const more = (): boolean =>
    started < options.recordsMax && !options.signal.aborted && performance.now() - startMs < options.durationMsMax;

  await Promise.all(
    producers.map(async (producer) => {
      const window = new SendWindow(options.window);
      while (more()) {
        started += 1;
        if (!window.hasRoom) await window.room();
        const sentMs = performance.now();
        window.add(
          producer.send({ value }).then(() => {
            latencies.record(performance.now() - sentMs);
            acked += 1;
            options.onProgress(acked);
          }),
        );
      }
      await window.drain();
    }),
  );
  const elapsedMs = performance.now() - startMs;
  await Promise.all(producers.map((producer) => producer.close()));
  options.signal.throwIfAborted();
  return { records: acked, bytes: acked * options.recordBytes, elapsedMs, latency: latencies.summary() };
}
