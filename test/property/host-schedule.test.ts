/**
 * Proposals and linearizable reads of a lone node under every order of disk completions, calls
 * and ticks that fast-check can think of, up to a disk that fails.
 *
 * What must hold
 *  - Every call settles once, at the latest one tick after its deadline.
 *  - A proposal is answered only when the journal has reported its entry to be on disk, and a crash
 *    that loses all that is not synced leaves the entry there; indexes rise in the order of the calls.
 *  - What was refused without effect is not applied, then or later.
 *  - A read sees everything that was answered as committed before it was asked.
 *  - A failed write or sync is reported once; what it left unwritten is never answered.
 */
import { asNodeId, asRaftIndex } from '@balsa/node/core/ids.ts';
import { defaultRaftConfig } from '@balsa/node/core/raft/config.ts';
import { createHost, type RunningHost } from '@balsa/node/host/host.ts';
import { simpleMembership } from '@balsa/node/host/state.ts';
import { HostError, type HostRefusal } from '@balsa/node/host/vocabulary.ts';
import type { MemoryDisk } from '@balsa/node/storage/disk/memory-disk.ts';
import type { RepairableJournal } from '@balsa/node/storage/journal/open.ts';
import { createMemoryStateFolder } from '@balsa/node/storage/state/memory-state-store.ts';
import { createMemoryHub } from '@balsa/node/transport/memory-network.ts';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createVirtualClock, type VirtualClock } from '../sim/world/virtual-clock.ts';
import { bytes, createListMachine, group, type ListMachine } from '../unit/host/host-cluster.ts';
import { open } from '../unit/journal/journal-fixture.ts';
import { createScheduledDisk, type DiskFault } from './scheduled-disk.ts';

const tickMs = 50;
const self = asNodeId(1);

type Call =
  | { readonly do: 'propose'; readonly durability: 'quorum' | 'leader' | 'none'; readonly timeoutMs: number; readonly bytes: number }
  | { readonly do: 'read'; readonly timeoutMs: number }
  | { readonly do: 'time'; readonly ms: number };

const timeoutMs = fc.constantFrom(20, 120, 400, 5_000);
const durability = fc.constantFrom('quorum' as const, 'quorum' as const, 'leader' as const, 'none' as const);
const call: fc.Arbitrary<Call> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('propose' as const), durability, timeoutMs, bytes: fc.nat({ max: 900 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('read' as const), timeoutMs }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('time' as const), ms: fc.integer({ min: 1, max: 150 }) }) },
);
const callers = fc.array(fc.array(call, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 4 });
const fault: fc.Arbitrary<DiskFault | undefined> = fc.option(
  fc.record({ kind: fc.constantFrom('datasync' as const, 'write' as const), nth: fc.integer({ min: 1, max: 6 }) }),
  { nil: undefined, freq: 3 },
);

interface Made {
  readonly call: Exclude<Call, { do: 'time' }>;
  readonly payload: string;
  readonly calledMs: number;
  /** Highest index of a committed proposal that had been answered when it was called. */
  readonly answeredBefore: number;
  settledMs: number | undefined;
  index: number | undefined;
  refusal: HostRefusal | undefined;
}

interface Lone {
  readonly host: RunningHost;
  readonly clock: VirtualClock;
  readonly machine: ListMachine;
  readonly fatal: unknown[];
  readonly breaches: string[];
  /** Last index whose append has resolved. */
  readonly durable: () => number;
}

/** Notes what the journal has reported as being on disk. */
function watched(journal: RepairableJournal): { readonly journal: RepairableJournal; readonly durable: () => number } {
  let durable = 0;
  const append: RepairableJournal['append'] = async (frames, options) => {
    await journal.append(frames, options);
    for (const frame of frames) if (frame.kind === 'entry') durable = Math.max(durable, frame.entry.index);
  };
  return { journal: { ...journal, append }, durable: () => durable };
}

async function startLone(disk: ReturnType<typeof createScheduledDisk>): Promise<Lone> {
  const clock = createVirtualClock();
  const fatal: unknown[] = [];
  const opened = await open(disk.disk, { now: clock.monotonicMs, onFatal: (error) => fatal.push(error), segmentBytes: 16 * 1024 });
  const { journal, durable } = watched(opened.journal);
  const machine = createListMachine();
  const host = createHost({
    self,
    journal,
    network: createMemoryHub({ clock, nodes: [self] }).attach(self),
    stateStore: await createMemoryStateFolder().open(),
    clock,
    random: { below: () => 0, hex: (count) => '0'.repeat(count * 2) },
    raft: defaultRaftConfig,
    tickMs,
    onFatal: (error) => fatal.push(error),
  });
  await host.open({ group, generation: 1, birth: simpleMembership([self]), machine });
  await clock.until('a leader', () => host.status(group)?.role === 'leader' && host.status(group)!.applied > 0, 5_000);
  return { host, clock, machine, fatal, breaches: [], durable };
}

function make(lone: Lone, made: Made[], one: Made['call']): void {
  const committed = made.filter((one) => one.call.do === 'propose' && one.call.durability === 'quorum');
  const answeredBefore = Math.max(0, ...committed.map(({ index }) => index ?? 0));
  const entry: Made = {
    call: one,
    payload: `${made.length}`.padEnd(one.do === 'propose' ? one.bytes : 0, '.'),
    calledMs: lone.clock.monotonicMs(),
    answeredBefore,
    settledMs: undefined,
    index: undefined,
    refusal: undefined,
  };
  made.push(entry);
  const answer = (index: number): void => {
    if (entry.settledMs !== undefined) lone.breaches.push(`call ${entry.payload} settled twice`);
    entry.index = index;
    const mustBeDurable = one.do === 'propose' && one.durability !== 'none';
    if (mustBeDurable && index > lone.durable()) lone.breaches.push(`answered ${index}, on disk up to ${lone.durable()}`);
    if (one.do === 'propose' && one.durability === 'quorum' && !lone.machine.items().includes(entry.payload))
      lone.breaches.push('not applied');
    if (one.do === 'read' && (index < answeredBefore || lone.host.status(group)!.applied < answeredBefore)) {
      lone.breaches.push(`read at ${index}, but ${answeredBefore} was answered before`);
    }
  };
  const calling: Promise<number> =
    one.do === 'read'
      ? lone.host.confirmRead(group, one.timeoutMs)
      : lone.host.propose(group, bytes(entry.payload), one).then(({ index }) => index);
  void calling
    .then(answer, (error: unknown) => {
      if (!(error instanceof HostError)) lone.breaches.push(`rejected with ${String(error)}`);
      else entry.refusal = error.refusal;
    })
    .then(() => {
      entry.settledMs = lone.clock.monotonicMs();
    });
}

interface Played {
  readonly lone: Lone;
  readonly made: readonly Made[];
  readonly failed: boolean;
  readonly crashes: readonly { readonly disk: MemoryDisk; readonly answered: readonly { index: number; payload: string }[] }[];
}

const isAnswered = ({ index, call: one }: Made): boolean => index !== undefined && one.do === 'propose' && one.durability !== 'none';

async function play(scheduler: fc.Scheduler, lists: readonly (readonly Call[])[], injected: DiskFault | undefined): Promise<Played> {
  const disk = createScheduledDisk();
  const lone = await startLone(disk);
  const made: Made[] = [];
  const crashes: Played['crashes'][number][] = [];
  let answered = 0;
  disk.begin(scheduler, injected);
  const callAll = async (calls: readonly Call[]): Promise<void> => {
    for (const one of calls) {
      await scheduler.schedule(Promise.resolve(), one.do);
      if (one.do === 'time') await lone.clock.advance(one.ms);
      else make(lone, made, one);
    }
  };
  const playing = Promise.all(lists.map(callAll));
  const afterStep = async (): Promise<void> => {
    await lone.clock.advance(0);
    const now = made.filter(isAnswered);
    if (now.length === answered) return;
    answered = now.length;
    crashes.push({ disk: disk.memory.crash(() => false), answered: now.map(({ index, payload }) => ({ index: index!, payload })) });
  };
  const runDry = async (): Promise<void> => {
    do {
      await scheduler.waitIdle(async (release) => {
        await release();
        await new Promise((resolve) => setImmediate(resolve));
        await afterStep();
      });
      await new Promise((resolve) => setImmediate(resolve));
      await afterStep();
    } while (scheduler.report().some(({ status }) => status === 'pending'));
  };
  await runDry();
  // Time for what still waits for a deadline; the disk may be asked for more meanwhile.
  for (let passed = 0; passed < 6_000; passed += 500) {
    await lone.clock.advance(500);
    await runDry();
  }
  if (disk.failedAt() === undefined) await playing;
  return { lone, made, failed: disk.failedAt() !== undefined, crashes };
}

async function checkCrash({ disk, answered }: Played['crashes'][number]): Promise<void> {
  const { journal } = await open(disk, { segmentBytes: 16 * 1024 });
  for (const { index, payload } of answered) {
    const [entry] = await journal.read({ group, generation: 1 }, asRaftIndex(index), asRaftIndex(index), 1);
    expect(entry?.kind === 'command' && Buffer.from(entry.payload).toString()).toBe(payload);
  }
  await journal.close();
}

function checkCall({ call: one, calledMs, settledMs, refusal, payload }: Made, { machine }: Lone, failed: boolean): void {
  if (settledMs === undefined) {
    expect(failed, `${one.do} ${payload} never settled`).toBe(true);
    return;
  }
  expect(settledMs - calledMs, 'settled after its deadline').toBeLessThanOrEqual(one.timeoutMs + tickMs + 150);
  if (refusal === undefined || one.do === 'read') return;
  const hasNoEffect = refusal.reason !== 'leader-changed' && !(refusal.reason === 'timeout' && refusal.effect === 'unknown');
  if (hasNoEffect) expect(machine.items(), JSON.stringify(refusal)).not.toContain(payload);
}

it('a lone node answers once, in order, in time, and only what is on disk', async () => {
  const seen = { answered: 0, reads: 0, timeouts: 0, failures: 0 };
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), callers, fault, async (scheduler, lists, injected) => {
      const { lone, made, failed, crashes } = await play(scheduler, lists, injected);
      expect(lone.breaches).toEqual([]);
      expect(lone.fatal).toHaveLength(failed ? 1 : 0);
      for (const one of made) checkCall(one, lone, failed);
      const indexes = made.filter(isAnswered).map(({ index }) => index!);
      expect(indexes).toEqual(indexes.toSorted((a, b) => a - b));
      expect(new Set(indexes).size).toBe(indexes.length);
      const items = lone.machine.items();
      expect(new Set(items).size, 'applied once').toBe(items.length);
      for (const crash of crashes) await checkCrash(crash);
      seen.answered += indexes.length;
      seen.reads += made.filter(({ call: one, index }) => one.do === 'read' && index !== undefined).length;
      seen.timeouts += made.filter(({ refusal }) => refusal?.reason === 'timeout').length;
      seen.failures += failed ? 1 : 0;
    }),
    { numRuns: Number(process.env['FC_RUNS'] ?? 80) },
  );
  for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(5);
});
