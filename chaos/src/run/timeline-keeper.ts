/** Keeps the timeline of a run: in memory for the judge, in a file for later, told at once to whoever shows it. */
import type { PhaseName, TimelineEvent } from '../record/timeline.ts';

export interface TimelineKeeper {
  readonly events: readonly TimelineEvent[];
  readonly add: (event: TimelineEvent) => void;
  readonly phase: (phase: PhaseName, repeat?: number) => void;
  readonly remark: (text: string) => void;
}

export function createTimeline(nowNs: () => number, onEvent: (event: TimelineEvent) => void): TimelineKeeper {
  const events: TimelineEvent[] = [];
  const add = (event: TimelineEvent): void => {
    events.push(event);
    onEvent(event);
  };
  return {
    events,
    add,
    phase: (phase, repeat = 0) => add({ kind: 'phase', tNs: nowNs(), phase, repeat }),
    remark: (text) => add({ kind: 'remark', tNs: nowNs(), text }),
  };
}
