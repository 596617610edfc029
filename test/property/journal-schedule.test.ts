/**
 * Group commit under every order of events that fast-check can think of: several groups
 * append at once while writes, syncs, renames and opens end in any order, segments roll, old ones
 * are reclaimed, an operation fails, and the power goes at any step.
 *
 * What must hold
 *  - Calls resolve in the order in which they were made, barriers (no frames) included.
 *  - Whatever was resolved is there after a crash that loses all that is not synced, and what is
 *    recovered is always the first n frames, for one n over all groups: resolved <= n <= appended.
 *  - No datasync begins while its file is written, nor the other way round.
 *  - After a failed write or sync of the journal nothing resolves any more; a failure while the next
 *    segment is prepared may be reported a little later, and from then on nothing resolves.
 *    Either is reported once.
 *  - Without a failure everything resolves.
 */
import type { MemoryDisk } from '@balsa/node/storage/disk/memory-disk.ts';
import type { RepairableJournal } from '@balsa/node/storage/journal/open.ts';
import type { JournalEvent } from '@balsa/node/storage/journal/options.ts';
import type { Frame } from '@balsa/node/storage/journal/vocabulary.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  command,
  createModel,
  createRng,
  hard,
  type ModelState,
  open,
  sameState,
  start,
  stateOf,
} from '../unit/journal/journal-fixture.ts';
import { createScheduledDisk, type DiskFault } from './scheduled-disk.ts';

interface Action {
  readonly do: 'append' | 'vote' | 'cut' | 'start' | 'barrier' | 'reclaim';
  /** Of an append: payload sizes of its entries. */
  readonly bytes: readonly number[];
  /** When it is called: at an event of its own, or so many promise turns after what was before it. */
  readonly after: 'event' | number;
  /** The next action is called only when this one resolved. */
  readonly waits: boolean;
}

const after = fc.oneof({ weight: 3, arbitrary: fc.constant('event' as const) }, { weight: 1, arbitrary: fc.nat({ max: 8 }) });
const size = fc.oneof(fc.nat({ max: 100 }), fc.integer({ min: 1000, max: 1900 }));
const bytes = fc.array(size, { minLength: 1, maxLength: 3 });
const names = fc.oneof(
  { weight: 8, arbitrary: fc.constant('append' as const) },
  { weight: 3, arbitrary: fc.constantFrom('vote' as const, 'cut' as const, 'start' as const) },
  { weight: 3, arbitrary: fc.constant('barrier' as const) },
);
const action: fc.Arbitrary<Action> = fc.record({ do: names, bytes, after, waits: fc.boolean() });
/** One list per group: each is played in its order, all at once. */
const actors = fc.array(fc.array(action, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 4 });

/** Fills segments, gives up what is in them, and has them removed, while a quiet group has a frame in the first. */
const filling = fc
  .tuple(fc.array(fc.integer({ min: 1200, max: 1900 }), { minLength: 1, maxLength: 3 }), fc.boolean(), fc.boolean(), after)
  .map(([large, startWaits, waits, when]): Action[] => [
    { do: 'append', bytes: large, after: 'event', waits },
    { do: 'start', bytes: [], after: when, waits: startWaits },
    { do: 'reclaim', bytes: [], after: when, waits },
  ]);
const reclaiming = fc.tuple(
  fc.array(filling, { minLength: 5, maxLength: 8 }).map((rounds) => rounds.flat()),
  fc.array(action, { minLength: 1, maxLength: 4 }),
);
const fault: fc.Arbitrary<DiskFault | undefined> = fc.option(
  fc.record({
    kind: fc.constantFrom('datasync' as const, 'datasync' as const, 'write' as const, 'rename' as const, 'sync-folder' as const),
    nth: fc.integer({ min: 1, max: 8 }),
  }),
  { nil: undefined },
);
const crashes = fc.record({ percent: fc.constantFrom(3, 10), seed: fc.nat() });

interface CrashState {
  readonly disk: MemoryDisk;
  readonly resolved: number;
  readonly appended: number;
  readonly where: string;
}

/** What was called and what came back, in numbers of frames and of calls. */
function createLedger() {
  const model = createModel();
  const ledger = {
    model,
    prefixes: [model.state()] as ModelState[],
    calls: 0,
    resolvedCalls: 0,
    resolvedFrames: 0,
    outOfOrder: [] as string[],
    /** Makes a call; the promise is of its being noted. */
    append: async (journal: RepairableJournal, frames: readonly Frame[]): Promise<void> => {
      for (const frame of frames) {
        model.apply(frame);
        ledger.prefixes.push(model.state());
      }
      const call = ledger.calls++;
      const frameCount = ledger.prefixes.length - 1;
      await journal.append(frames, { purpose: 'essential' });
      if (call !== ledger.resolvedCalls) ledger.outOfOrder.push(`call ${call} resolved as number ${ledger.resolvedCalls}`);
      ledger.resolvedCalls++;
      ledger.resolvedFrames = frameCount;
    },
  };
  return ledger;
}

type Ledger = ReturnType<typeof createLedger>;

/** Frames of an action; indexes and terms go on from where the group is. */
function framesOf(ledger: Ledger, group: number, act: Action): readonly Frame[] {
  const known = ledger.model.group(group);
  const snapshot = known?.start ?? { index: 0, term: 0 };
  const last = known?.entries.at(-1) ?? snapshot;
  const term = Math.max(1, last.term, known?.hardState.term ?? 0);
  if (act.do === 'append')
    return act.bytes.map((bytes, i) => command(group, last.index + 1 + i, term, Buffer.alloc(bytes, last.index + i)));
  if (act.do === 'vote') return [hard(group, term + 1, 1, snapshot.index)];
  if (act.do === 'cut') return [hard(group, term + 1, 1, 0), command(group, Math.max(snapshot.index + 1, last.index - 1), term + 1, 'cut')];
  return act.do === 'start' ? [start(group, last.index, last.term)] : [];
}

async function playActor(
  scheduler: fc.Scheduler,
  journal: RepairableJournal,
  ledger: Ledger,
  group: number,
  actions: readonly Action[],
): Promise<void> {
  const unfinished: Promise<unknown>[] = [];
  for (const act of actions) {
    if (act.after === 'event') await scheduler.schedule(Promise.resolve(), `group ${group}: ${act.do}`);
    else for (let turn = 0; turn < act.after; turn++) await Promise.resolve();
    const call =
      act.do === 'reclaim'
        ? journal.reclaim(() => scheduler.schedule(Promise.resolve(), 'barrier of reclaim')).catch(() => undefined)
        : ledger.append(journal, framesOf(ledger, group, act));
    if (act.waits) await call;
    else unfinished.push(call);
  }
  await Promise.all(unfinished);
}

/** Lets the scheduler run until nothing is left that it could release. */
async function runDry(scheduler: fc.Scheduler, beforeStep: () => void): Promise<void> {
  do {
    await scheduler.waitIdle(async (release) => {
      beforeStep();
      await release();
    });
    await new Promise((resolve) => setImmediate(resolve));
  } while (scheduler.report().some(({ status }) => status === 'pending'));
}

interface Played {
  readonly ledger: Ledger;
  readonly states: readonly CrashState[];
  readonly settled: boolean;
  readonly failed: boolean;
  readonly fatal: readonly Error[];
  readonly breaches: readonly string[];
  /** Calls that were resolved when the journal had to end. */
  readonly resolvedAtFailure: number;
  readonly events: readonly JournalEvent[];
}

interface Scenario {
  readonly actors: readonly (readonly Action[])[];
  readonly fault: DiskFault | undefined;
  readonly crashes: { readonly percent: number; readonly seed: number };
}

async function play(scheduler: fc.Scheduler, { actors: lists, fault: injected, crashes: { percent, seed } }: Scenario): Promise<Played> {
  const random = createRng(seed);
  const { disk, memory, begin, failedAt, breaches } = createScheduledDisk();
  const { journal, events, fatal } = await open(disk);
  const ledger = createLedger();
  const states: CrashState[] = [];
  let seenResolved = 0;
  let resolvedAtFailure = -1;
  const capture = (where: string, keeps: () => boolean): void => {
    const frames = { resolved: ledger.resolvedFrames, appended: ledger.prefixes.length - 1 };
    states.push({ disk: memory.crash(keeps, { onOperation: () => undefined }), ...frames, where });
  };
  const beforeStep = (): void => {
    const mustEnd = failedAt() === 'in use' || fatal.length > 0;
    if (mustEnd && resolvedAtFailure < 0) resolvedAtFailure = ledger.resolvedCalls;
    if (ledger.resolvedFrames > seenResolved) capture('just resolved', () => false);
    else if (random() * 100 < percent) capture('any step', () => random() < 0.5);
    seenResolved = ledger.resolvedFrames;
  };
  begin(scheduler, injected);
  let settled = false;
  const playing = Promise.all(lists.map((actions, i) => playActor(scheduler, journal, ledger, i + 1, actions)))
    .then(() => journal.close())
    .then(() => {
      settled = true;
    });
  await runDry(scheduler, beforeStep);
  if (settled) await playing;
  beforeStep();
  capture('end, all lost', () => false);
  capture('end, some lost', () => random() < 0.5);
  return { ledger, states, settled, failed: failedAt() !== undefined, fatal, breaches, resolvedAtFailure, events };
}

async function checkCrash({ prefixes }: Ledger, { disk, resolved, appended, where }: CrashState): Promise<void> {
  const { journal } = await open(disk);
  const state = await stateOf(journal);
  await journal.close();
  for (let n = resolved; n <= appended; n++) if (sameState(prefixes[n]!, state)) return;
  const anywhere = prefixes.findIndex((prefix) => sameState(prefix, state));
  const recovered = anywhere < 0 ? 'something that was never there' : `the first ${anywhere}`;
  expect.fail(`crash (${where}) with ${resolved} of ${appended} frames resolved: recovered ${recovered}: ${JSON.stringify([...state])}`);
}

async function check(played: Played): Promise<void> {
  const { ledger, states, settled, failed, fatal, breaches, resolvedAtFailure } = played;
  expect(ledger.outOfOrder).toEqual([]);
  expect(breaches).toEqual([]);
  expect(fatal).toHaveLength(failed ? 1 : 0);
  if (failed) expect(ledger.resolvedCalls, 'nothing resolves after a failure').toBe(resolvedAtFailure);
  else expect({ settled, resolved: ledger.resolvedCalls }).toEqual({ settled: true, resolved: ledger.calls });
  for (const state of states) await checkCrash(ledger, state);
}

const countOf = (events: readonly JournalEvent[], type: JournalEvent['type']): number =>
  events.filter((event) => event.type === type).length;
const runs = process.env['FC_RUNS'];

describe('group commit', () => {
  it('resolves in order, only what is on disk, and nothing after a failure', async () => {
    const seen = { crashes: 0, failures: 0, rolls: 0, shared: 0, barriers: 0 };
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), actors, fault, crashes, async (scheduler, lists, injected, crashPlan) => {
        const played = await play(scheduler, { actors: lists, fault: injected, crashes: crashPlan });
        await check(played);
        const { states, failed, events } = played;
        seen.crashes += states.length;
        seen.failures += failed ? 1 : 0;
        seen.rolls += countOf(events, 'segment-rolled');
        seen.shared += events.some((event) => event.type === 'synced' && event.frames > 3) ? 1 : 0;
        seen.barriers += lists.flat().filter((act) => act.do === 'barrier').length;
      }),
      { numRuns: Number(runs ?? 250) },
    );
    // The runs must have met what they are for.
    for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(5);
  });

  it('loses nothing of it while segments are reclaimed', async () => {
    const seen = { removed: 0, moved: 0, failures: 0 };
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), reclaiming, fault, crashes, async (scheduler, lists, injected, crashPlan) => {
        const played = await play(scheduler, { actors: lists, fault: injected, crashes: crashPlan });
        await check(played);
        seen.removed += countOf(played.events, 'segment-removed');
        seen.moved += countOf(played.events, 'frames-moved');
        seen.failures += played.failed ? 1 : 0;
      }),
      { numRuns: Number(runs ?? 100) },
    );
    for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(5);
  });

  it('ends when the folder sync of a reclaim fails: a name that another sync then calls safe may be lost with it', async () => {
    const { disk, begin } = createScheduledDisk();
    const { journal, fatal } = await open(disk);
    for (let index = 1; index <= 8; index++) await journal.append([command(1, index, 1, Buffer.alloc(1500))]);
    await journal.append([start(1, 8, 1)]);
    const scheduler = fc.schedulerFor(Array.from({ length: 100 }, (_, task) => task + 1));
    begin(scheduler, { kind: 'sync-folder', nth: 1 });
    const reclaimed = journal
      .reclaim(() => Promise.resolve())
      .then(
        () => 'done',
        () => 'failed',
      );
    await runDry(scheduler, () => undefined);
    expect(await reclaimed).toBe('failed');
    expect(fatal.map(String)).toEqual(['DiskError: sync-folder /data/journal']);
  });
});
