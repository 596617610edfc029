/** Events by (due time, order of scheduling): a binary heap, with cancelled events left in place until they surface. */
export interface TimedEvent {
  readonly dueUs: number;
  readonly sequence: number;
  readonly callback: () => void;
  cancelled: boolean;
}

export interface EventHeap {
  readonly push: (dueUs: number, callback: () => void) => TimedEvent;
  /** The first event that is not cancelled. */
  readonly peek: () => TimedEvent | undefined;
  readonly pop: () => void;
  readonly cancel: (event: TimedEvent) => void;
}

export function createEventHeap(): EventHeap {
  const heap: TimedEvent[] = [];
  let sequence = 0;
  const pop = (): void => {
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    sink(heap);
  };
  return {
    push: (dueUs, callback) => {
      sequence += 1;
      const event = { dueUs, sequence, callback, cancelled: false };
      heap.push(event);
      rise(heap);
      return event;
    },
    peek: () => {
      while (heap[0]?.cancelled === true) pop();
      return heap[0];
    },
    pop,
    cancel: (event) => {
      event.cancelled = true;
    },
  };
}

const isBefore = (one: TimedEvent, other: TimedEvent): boolean =>
  one.dueUs < other.dueUs || (one.dueUs === other.dueUs && one.sequence < other.sequence);

const at = (heap: readonly TimedEvent[], place: number): TimedEvent => heap[place] as TimedEvent;

function rise(heap: TimedEvent[]): void {
  const event = at(heap, heap.length - 1);
  let place = heap.length - 1;
  while (place > 0) {
    const parent = (place - 1) >> 1;
    if (!isBefore(event, at(heap, parent))) break;
    heap[place] = at(heap, parent);
    place = parent;
  }
  heap[place] = event;
}

function sink(heap: TimedEvent[]): void {
  const event = at(heap, 0);
  let place = 0;
  for (;;) {
    const left = 2 * place + 1;
    if (left >= heap.length) break;
    const right = left + 1;
    const child = right < heap.length && isBefore(at(heap, right), at(heap, left)) ? right : left;
    if (!isBefore(at(heap, child), event)) break;
    heap[place] = at(heap, child);
    place = child;
  }
  heap[place] = event;
}
