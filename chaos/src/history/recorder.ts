/**
 * Records a history in memory: hands out operation ids and keeps the events in the order in
 * which they were told. The clock is the caller's, so simulated time works as well as real time.
 */
import type { Completion, HistoryEvent, Invoke } from './event.ts';

type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** An invocation without what the recorder adds. */
export type Invocation = Without<Invoke, 'op' | 'tNs' | 'type'>;
/** A completion without what the recorder knows from the invocation. */
export type Ending = Without<Completion, 'op' | 'tNs' | 'process' | 'f'>;

export interface HistoryRecorder extends Iterable<HistoryEvent> {
  readonly length: number;
  /** Before the request leaves; returns the operation id. */
  invoke(invocation: Invocation): number;
  /** After the answer came; once per operation. */
  complete(op: number, ending: Ending): void;
}

/** `nowNs` is monotonic; `onEvent` gets every event at once, to write it to a file. */
export function createHistory(nowNs: () => number, onEvent?: (event: HistoryEvent) => void): HistoryRecorder {
  const events: HistoryEvent[] = [];
  const open = new Map<number, Pick<Invoke, 'process' | 'f'>>();
  let nextOp = 0;
  const add = (event: HistoryEvent): void => {
    events.push(event);
    onEvent?.(event);
  };
  return {
    get length() {
      return events.length;
    },
    invoke(invocation) {
      const op = nextOp;
      nextOp += 1;
      open.set(op, { process: invocation.process, f: invocation.f });
      add({ op, tNs: nowNs(), type: 'invoke', ...invocation });
      return op;
    },
    complete(op, ending) {
      const known = open.get(op);
      if (known === undefined) throw new Error(`Operation ${op} is not under way.`);
      open.delete(op);
      // The pair of name and result is the caller's to get right; the codec and the checker look at it again.
      add({ op, tNs: nowNs(), ...known, ...ending } as Completion);
    },
    [Symbol.iterator]: () => events[Symbol.iterator](),
  };
}
