/** The specification refuses bad traces, each by the rule that it breaks: a checker that never fails proves nothing. */
import { describe, expect, test, vi } from 'vitest';
import { createGroup, happen } from '../property/raft-group.ts';
import { badElectionSteps } from './bad-election-steps.ts';
import { badLogSteps } from './bad-log-steps.ts';
import { follow, nextToken, pendingMembership } from './change-event.ts';
import { listen } from './core-recorder.ts';
import { createRaftSpec, type Event } from './raft-spec.ts';
import type { StepEvent } from './step.ts';
import { type Rule, rules, SpecViolation } from './violation.ts';

vi.mock('@balsa/node/core/raft/step.ts', async (original) => (await import('./core-recorder.ts')).recordSteps(original as never));
vi.mock('@balsa/node/core/raft/state.ts', async (original) => (await import('./core-recorder.ts')).recordStarts(original as never));

const badSteps = [...badElectionSteps, ...badLogSteps];

const config = { appendBytesMax: 100, inflightMessagesMax: 4, inflightBytesMax: 300, uncommittedBytesMax: 2000 };

function record(seed: number): readonly Event[] {
  const events: Event[] = [];
  listen((event) => events.push(event));
  const group = createGroup({ seed, voters: [1, 2, 3, 4, 5].slice(0, 1 + (seed % 5)), spares: [6, 7], config });
  for (let i = 0; i < 2500; i++) happen(group, seed % 3 === 0 ? 0 : 25);
  listen(() => {});
  return events;
}

/** Seeds whose schedules contain every situation that a bad trace needs. */
const traces = Array.from({ length: 24 }, (_, i) => record(1000 + i * 77));

function verdict(events: readonly Event[]): Rule | undefined {
  const spec = createRaftSpec({ strict: true });
  try {
    for (const event of events) spec.observe(event);
    return undefined;
  } catch (error) {
    if (error instanceof SpecViolation) return error.rule;
    throw error;
  }
}

/** Up to `max` traces that end in the changed event. */
function* altered(change: (typeof badSteps)[number][2], max: number): Iterable<readonly Event[]> {
  let left = max;
  for (const events of traces) {
    const statuses = new Map<number, StepEvent['status']>();
    nextToken.clear();
    pendingMembership.clear();
    for (const [place, event] of events.entries()) {
      const before = statuses.get(event.node);
      const changed = event.type === 'step' && before !== undefined ? change(event, before) : undefined;
      if (changed !== undefined) {
        yield [...events.slice(0, place), changed];
        if (--left === 0) return;
        break;
      }
      follow(event);
      if (event.type === 'step') statuses.set(event.node, event.status);
      else statuses.delete(event.node);
    }
  }
}

describe('a trace with one wrong event is refused', () => {
  test.each(badSteps)('%s: %s', (rule, _, change) => {
    const verdicts = [...altered(change, 6)].map(verdict);
    expect(verdicts.length, 'traces that the change fits').toBeGreaterThan(0);
    expect(verdicts, 'no bad trace is accepted').not.toContain(undefined);
    expect(verdicts).toContain(rule);
  });
});

const isPersisted = (event: Event): boolean => event.type === 'step' && event.input.type === 'persisted';

describe('a trace with wrong order or a wrong recovery is refused', () => {
  const tested: Rule[] = [];
  const refuses = (rule: Rule, name: string, change: (events: readonly Event[]) => readonly Event[] | undefined): void => {
    tested.push(rule);
    test(`${rule}: ${name}`, () => {
      const verdicts = traces
        .map(change)
        .filter((events) => events !== undefined)
        .map(verdict);
      expect(verdicts.length).toBeGreaterThan(0);
      expect(verdicts).toContain(rule);
    });
  };
  /** The place of a start that is not the first one of its node. */
  const restartIn = (events: readonly Event[], fits: (event: Extract<Event, { type: 'recovered' }>) => boolean): number =>
    events.findIndex((event, place) => event.type === 'recovered' && place > 10 && fits(event));
  const change = (events: readonly Event[], place: number, by: (event: never) => Event): readonly Event[] | undefined =>
    place < 0 ? undefined : [...events.slice(0, place), by(events[place] as never)];

  refuses('known-replica', 'a step before the start', (events) => events.filter(({ type }) => type === 'step'));
  refuses('sent-before-durable', 'an answer arrives before its write is reported', (events) => {
    const place = events.findIndex((event, i) => i > 50 && isPersisted(event) && event.node !== 1);
    return events.filter((_, i) => i !== place);
  });
  refuses('recovered-state', 'a vote is forgotten', (events) =>
    change(
      events,
      restartIn(events, ({ hardState }) => hardState.votedFor !== 0),
      (event: Extract<Event, { type: 'recovered' }>) => ({
        ...event,
        hardState: { ...event.hardState, votedFor: 0 },
      }),
    ),
  );
  refuses('recovered-state', 'an entry is forgotten', (events) =>
    change(
      events,
      restartIn(events, ({ entries }) => entries.length > 1),
      (event: Extract<Event, { type: 'recovered' }>) => ({
        ...event,
        entries: event.entries.slice(0, -1),
      }),
    ),
  );
  refuses('recovered-state', 'an entry appears that was never written', (events) =>
    change(
      events,
      restartIn(events, ({ entries }) => entries.length > 0),
      (event: Extract<Event, { type: 'recovered' }>) => {
        const newest = event.entries.at(-1)!;
        return { ...event, entries: [...event.entries, { ...newest, index: (newest.index + 1) as typeof newest.index }] };
      },
    ),
  );
  refuses('recovered-state', 'a member comes back with nothing', (events) =>
    change(
      events,
      restartIn(events, ({ snapshot, entries }) => snapshot.index === 0 && entries.length > 1),
      (event: Extract<Event, { type: 'recovered' }>) => ({
        ...event,
        hardState: { ...event.hardState, votedFor: event.node, commit: event.snapshot.index },
        applied: event.snapshot.index,
        entries: [],
      }),
    ),
  );
  /** Every start after damage, with the vote that `by` makes of the one that was recovered. */
  const repairedStarts = (by: (votedFor: number) => number): readonly (Rule | undefined)[] =>
    traces.flatMap((events) =>
      events.flatMap((event, place) => {
        if (event.type !== 'recovered' || place <= 10 || event.hardState.votedFor === 0) return [];
        const { node, group, generation, hardState } = event;
        const damaged: Event = { type: 'damaged', node, group, generation };
        const votedFor = by(hardState.votedFor) as typeof hardState.votedFor;
        return [verdict([...events.slice(0, place), damaged, { ...event, hardState: { ...hardState, votedFor } }])];
      }),
    );
  test('a repaired replica may have every vote that was being written, and no other', () => {
    const right = repairedStarts((votedFor) => votedFor);
    expect(right.length).toBeGreaterThan(20);
    expect(right.filter((rule) => rule !== undefined)).toEqual([]);
    const wrong = repairedStarts((votedFor) => (votedFor === 1 ? 2 : 1));
    expect(wrong.filter((rule) => rule !== 'recovered-state')).toEqual([]);
  });

  test('every rule has a bad trace', () => {
    const covered = new Set<Rule>([...badSteps.map(([rule]) => rule), ...tested]);
    // These follow from the others: they would show that the specification itself is wrong.
    const theorems: readonly Rule[] = ['leader-completeness', 'state-machine-safety', 'commit-durable'];
    expect(Object.keys(rules).filter((rule) => !covered.has(rule as Rule) && !theorems.includes(rule as Rule))).toEqual([]);
  });
});
