/** Joins what the parts tell with metrics and log. */
import type { BrokerEvent, BrokerObserver } from '../broker/observer.ts';
import type { EdgeObserver } from '../edges/grpc/edge-options.ts';
import type { HostObserver, RepairEvent } from '../host/options.ts';
import type { JournalEvent } from '../storage/journal/options.ts';
import { createSampledLog } from '../telemetry/logger.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { TransportEvent } from '../transport/vocabulary.ts';

const msPerSecond = 1000;

export function hostObserver({ histograms, counters }: Metrics, log: Logger): HostObserver {
  return {
    onTurn: (durationMs) => histograms.turn.observe(durationMs / msPerSecond),
    onCommit: (latencyMs) => histograms.commit.observe(latencyMs / msPerSecond),
    onDropped: (reason, messages) => counters.dropped.inc({ reason }, messages),
    onSnapshot: (direction) => counters.snapshots.inc({ direction }),
    onScrubbed: (bytes, durationMs) => {
      counters.scrubbedBytes.inc(bytes);
      log.debug({ bytes, durationMs }, 'scrub: everything kept for the groups was verified');
    },
    onRepair: ({ type, ...facts }) => log[repairLevels[type]](facts, `repair of a damaged group: ${type}`),
  };
}

const repairLevels = { begun: 'error', stalled: 'warn', ended: 'info' } as const satisfies Record<
  RepairEvent['type'],
  'info' | 'warn' | 'error'
>;

export function journalObserver({ histograms, counters }: Metrics, log: Logger): (event: JournalEvent) => void {
  return (event) => {
    if (event.type === 'synced') {
      histograms.sync.observe(event.durationMs / msPerSecond);
      counters.journalBytes.inc(event.bytes);
      counters.journalFrames.inc(event.frames);
      return;
    }
    const { type, ...facts } = event;
    log[journalLevels[type]](facts, `journal: ${type}`);
  };
}

const journalLevels = {
  recovered: 'info',
  'recovery-case': 'info',
  'torn-tail': 'warn',
  corrupt: 'error',
  'group-faulty': 'error',
  'segment-rolled': 'debug',
  'segment-removed': 'debug',
  'frames-moved': 'debug',
  full: 'error',
  unfull: 'info',
  'watermark-failed': 'warn',
} as const satisfies Record<Exclude<JournalEvent['type'], 'synced'>, 'debug' | 'info' | 'warn' | 'error'>;

export function transportObserver(log: Logger): (event: TransportEvent) => void {
  return ({ kind, ...facts }) => log[transportLevels[kind]](facts, `peers: ${kind}`);
}

const transportLevels = {
  'peer-up': 'info',
  'peer-lost': 'warn',
  refused: 'error',
  'queue-overflow': 'warn',
  'message-dropped': 'warn',
  'bad-frame': 'warn',
} as const satisfies Record<TransportEvent['kind'], 'info' | 'warn' | 'error'>;

export function brokerObserver({ counters, histograms }: Metrics, log: Logger): BrokerObserver {
  return {
    onProduced: (bytes, records, durationMs) => {
      counters.produceBytes.inc(bytes);
      counters.produceRecords.inc(records);
      counters.produceBatches.inc();
      histograms.produce.observe(durationMs / msPerSecond);
    },
    onFetched: (bytes, batches, durationMs) => {
      counters.fetchBytes.inc(bytes);
      counters.fetchBatches.inc(batches);
      histograms.fetch.observe(durationMs / msPerSecond);
    },
    onEvent: (event) => logBrokerEvent(event, log),
  };
}

function logBrokerEvent(event: BrokerEvent, log: Logger): void {
  const { kind, ...facts } = event;
  if ('error' in facts) log.warn({ ...facts, error: undefined, err: facts.error }, `broker: ${kind}`);
  else log[kind === 'group-opened' || kind === 'group-removed' || kind === 'trimmed' ? 'debug' : 'info'](facts, `broker: ${kind}`);
}

export function edgeObserver({ counters, gauges }: Metrics, log: Logger, nowMs: () => number): EdgeObserver {
  const unexpected = createSampledLog(
    ({ error, suppressed }) => log.error({ err: error, suppressed }, 'a request failed unexpectedly'),
    nowMs,
  );
  return {
    onRefused: (code) => counters.refused.inc({ code }),
    onRequest: (method) => counters.requests.inc({ method }),
    onStreams: (open) => gauges.streams.set(open),
    onUnexpected: unexpected,
  };
}
