/** The specification accepts what the core does in the hostile groups of the property tests. */
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { createGroup, happen, heal } from '../property/raft-group.ts';
import { listen } from './core-recorder.ts';
import { createRaftSpec } from './raft-spec.ts';

vi.mock('@balsa/node/core/raft/step.ts', async (original) => (await import('./core-recorder.ts')).recordSteps(original as never));
vi.mock('@balsa/node/core/raft/state.ts', async (original) => (await import('./core-recorder.ts')).recordStarts(original as never));

const runs = Number(process.env['SPEC_RUNS'] ?? 40);
const happenings = 2500;
const config = { appendBytesMax: 100, inflightMessagesMax: 4, inflightBytesMax: 300, uncommittedBytesMax: 2000 };

const schedules = fc.record({
  seed: fc.integer({ min: 1, max: 0x7fff_ffff }),
  voters: fc.constantFrom([1], [1, 2], [1, 2, 3], [1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4, 5]),
  hostility: fc.constantFrom(0, 10, 40),
});

test('every transition of hostile schedules is allowed', () => {
  const sums = { events: 0, commits: 0, leaders: 0, microseconds: 0 };
  fc.assert(
    fc.property(schedules, ({ seed, voters, hostility }) => {
      const spec = createRaftSpec({ strict: true });
      listen((event) => {
        const startedMs = performance.now();
        spec.observe(event);
        sums.microseconds += 1000 * (performance.now() - startedMs);
      });
      const group = createGroup({ seed, voters, spares: [6, 7], config });
      for (let i = 0; i < happenings; i++) happen(group, hostility);
      heal(group);
      const { events, commits, leaders } = spec.counts();
      sums.events += events;
      sums.commits += commits;
      sums.leaders += leaders;
    }),
    { numRuns: runs },
  );
  expect(sums.events).toBeGreaterThan(1000 * runs);
  expect(sums.leaders).toBeGreaterThan(2 * runs);
  expect(sums.commits).toBeGreaterThan(20 * runs);
  if (process.env['SPEC_COUNTS'] !== undefined) console.info({ ...sums, microsecondsPerEvent: sums.microseconds / sums.events });
});
