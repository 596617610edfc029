/** A crew for the clients of a fake cluster, and what they wrote down. */
import type { HistoryEvent } from '@balsa/chaos/history/event.ts';
import { createHistory, type HistoryRecorder } from '@balsa/chaos/history/recorder.ts';
import { createChance } from '@balsa/chaos/nemesis/chance.ts';
import { createCrew, createNumbers, type Crew } from '@balsa/chaos/workload/crew.ts';

export interface FakeRun {
  readonly crew: Crew;
  readonly history: HistoryRecorder;
  readonly events: () => readonly HistoryEvent[];
  /** Type and error of the completions of one kind of operation, in order. */
  readonly outcomes: (f: HistoryEvent['f']) => readonly string[];
}

const nsPerMs = 1e6;

/** `nowMs` is the clock of the schedules and of the history. */
export function fakeRun(address: string, nowMs: () => number = () => performance.now()): FakeRun {
  const nowNs = (): number => Math.round(nowMs() * nsPerMs);
  const history = createHistory(nowNs);
  const crew = createCrew({ address, history, nowNs, random: createChance(1), nextId: createNumbers() });
  return {
    crew,
    history,
    events: () => [...history],
    outcomes: (f) =>
      [...history].flatMap((event) => {
        if (event.type === 'invoke' || event.f !== f) return [];
        return ['error' in event && event.error !== undefined ? `${event.type} ${event.error}` : event.type];
      }),
  };
}
