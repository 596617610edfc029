/** Writes down what the clients of the world ask and are told. */
import type { Completion, HistoryEvent, Invoke } from '@balsa/chaos/history/event.ts';
import type { VirtualClock } from '../world/virtual-clock.ts';

export { failure, readFailure } from '@balsa/chaos/workload/answers.ts';

/** An invocation or a completion without what the recorder adds. */
export type InvokeFacts = Invoke extends infer Each ? (Each extends Invoke ? Omit<Each, 'op' | 'tNs' | 'type'> : never) : never;
export type CompletionFacts = Completion extends infer Each
  ? Each extends Completion
    ? Omit<Each, 'op' | 'tNs' | 'process' | 'f'>
    : never
  : never;

export type Complete = (facts: CompletionFacts) => void;

export interface Recorder {
  readonly events: readonly HistoryEvent[];
  /** Returns how to complete the operation. */
  readonly invoke: (facts: InvokeFacts) => Complete;
  /** Operations without a completion. */
  readonly open: () => number;
  /** A number never used before: for values and names. */
  readonly next: () => number;
}

const nsPerMs = 1e6;

export function createRecorder(clock: VirtualClock, onEvent: (event: HistoryEvent) => void): Recorder {
  const events: HistoryEvent[] = [];
  let operations = 0;
  let serial = 0;
  let open = 0;
  const write = (event: object): void => {
    events.push(event as HistoryEvent);
    onEvent(event as HistoryEvent);
  };
  const tNs = (): number => Math.round(clock.monotonicMs() * nsPerMs);
  return {
    events,
    invoke: (facts) => {
      operations += 1;
      const op = operations;
      open += 1;
      write({ type: 'invoke', op, tNs: tNs(), ...facts });
      return (completion) => {
        open -= 1;
        write({ op, tNs: tNs(), process: facts.process, f: facts.f, ...completion });
      };
    },
    open: () => open,
    next: () => {
      serial += 1;
      return serial;
    },
  };
}
