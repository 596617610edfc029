/**
 * The safety rules of Raft under random schedules of a hostile network and hostile
 * disks, memberships changing meanwhile; then, after healing, agreement.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkLogMatching } from './raft-ledger.ts';
import { createGroup, happen, heal, type SimGroup } from './raft-group.ts';

const runs = Number(process.env['RAFT_RUNS'] ?? 120);
const events = 2500;

interface Schedule {
  readonly seed: number;
  readonly voters: readonly number[];
  readonly hostility: number;
}

function run({ seed, voters, hostility }: Schedule): SimGroup {
  const group = createGroup({
    seed,
    voters,
    spares: [6, 7],
    config: { appendBytesMax: 100, inflightMessagesMax: 4, inflightBytesMax: 300, uncommittedBytesMax: 2000 },
  });
  for (let event = 0; event < events; event++) happen(group, hostility);
  heal(group);
  checkLogMatching(group.nodes);
  return group;
}

const schedules = fc.record({
  seed: fc.integer({ min: 1, max: 0x7fff_ffff }),
  voters: fc.constantFrom([1], [1, 2], [1, 2, 3], [1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4, 5]),
  hostility: fc.constantFrom(0, 10, 40),
});

test('safety under hostile schedules, agreement after they end', () => {
  const sums: Record<string, number> = {};
  fc.assert(
    fc.property(schedules, (schedule) => {
      const { counts } = run(schedule).ledger;
      for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count;
    }),
    { numRuns: runs },
  );
  // A schedule in which nothing happens proves nothing.
  for (const [name, sum] of Object.entries(sums)) expect(sum, name).toBeGreaterThan(runs / 4);
  if (process.env['RAFT_COUNTS'] !== undefined) console.info(sums);
});
