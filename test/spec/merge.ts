/**
 * Replays the traces of several processes as one. Their clocks are not asked: of the nodes
 * whose next event can happen (what it receives was sent) any may go on, because events
 * that no message connects do not depend on each other.
 */
import { readFileSync } from 'node:fs';
import { createRaftSpec, type Event } from './raft-spec.ts';

/** Events of one node in their order. A killed process may leave a torn line, which nobody has seen the effects of. */
export function readTrace(file: string): Event[] {
  const events: Event[] = [];
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line === '') continue;
    let event: Event | { readonly type: 'full' };
    try {
      event = JSON.parse(line);
    } catch {
      continue;
    }
    if (event.type === 'full') throw new Error(`${file} is not complete: the trace reached its limit`);
    events.push(event);
  }
  return events;
}

/** Throws SpecViolation if the traces, one per node, cannot be those of a correct cluster. */
export function replay(traces: readonly (readonly Event[])[]): ReturnType<ReturnType<typeof createRaftSpec>['counts']> {
  const spec = createRaftSpec();
  const queues = traces.flatMap((trace) => [...byGroup(trace).values()].map((events) => ({ events, next: 0 })));
  for (;;) {
    let isProgress = false;
    for (const queue of queues) {
      for (let event = queue.events[queue.next]; event !== undefined && spec.isEnabled(event); event = queue.events[queue.next]) {
        spec.observe(event);
        queue.next += 1;
        isProgress = true;
      }
    }
    if (isProgress) continue;
    const stuck = queues.find(({ events, next }) => next < events.length);
    if (stuck === undefined) return spec.counts();
    // What it receives was never sent: the specification says so.
    spec.observe(stuck.events[stuck.next]!);
  }
}

function byGroup(trace: readonly Event[]): Map<string, Event[]> {
  const groups = new Map<string, Event[]>();
  for (const event of trace) {
    const name = `${event.group}.${event.generation}`;
    const events = groups.get(name);
    if (events === undefined) groups.set(name, [event]);
    else events.push(event);
  }
  return groups;
}
