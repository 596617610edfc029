/**
 * A journal over many lives: it is written, its process or its power ends at any moment, and the
 * next life must find a prefix of what was appended with everything acknowledged in it.
 */
import { DiskError } from '@balsa/node/ports/disk.ts';
import type { JournalEvent } from '@balsa/node/storage/journal/options.ts';
import type { Frame } from '@balsa/node/storage/journal/vocabulary.ts';
import type { SimDisk } from '../../sim/world/disk/sim-disk.ts';
import { createStream, type Stream } from '../../sim/world/random-streams.ts';
import {
  command,
  createModel,
  hard,
  type ModelState,
  noop,
  open,
  type OpenedJournal,
  sameState,
  start,
  stateOf,
} from '../journal/journal-fixture.ts';
import type { DiskWorld } from './disk-fixture.ts';

export interface Lives {
  readonly world: DiskWorld;
  readonly random: Stream;
  disk: SimDisk;
  /** Everything that was appended and may still be there, in order. */
  frames: Frame[];
  /** The first of them that must be there. */
  acknowledged: number;
  /** Of all frames. */
  model: ReturnType<typeof createModel>;
  readonly seen: Seen;
}

/** What happened, to prove that something did. */
export interface Seen {
  opened: number;
  cutShort: number;
  failedOpens: number;
  fatal: number;
  /** Frames that were lost although they had been appended. */
  lost: number;
  /** Frames that were found although they had not been acknowledged. */
  surplus: number;
  rolled: number;
  removed: number;
}

export function beginLives(world: DiskWorld, seed: number): Lives {
  const seen: Seen = { opened: 0, cutShort: 0, failedOpens: 0, fatal: 0, lost: 0, surplus: 0, rolled: 0, removed: 0 };
  return { world, random: createStream(`${seed}/workload`), disk: world.disk, frames: [], acknowledged: 0, model: createModel(), seen };
}

const groups = 3;
const lifeMsMax = 250;
const pauseMsMax = 6;

/** One process, from its start to its sudden end. */
export async function live(lives: Lives): Promise<void> {
  const { random, seen, world } = lives;
  const endsMs = world.clock.monotonicMs() + random.between(1, lifeMsMax);
  const events: JournalEvent[] = [];
  const opening = startJournal(lives, events);
  await world.clock.advance(0);
  while (world.clock.monotonicMs() < endsMs && opening.failure === undefined) {
    await world.clock.advance(random.between(0, pauseMsMax));
    if (opening.opened === undefined) continue;
    const { journal, fatal } = opening.opened;
    if (!opening.isChecked) await checkRecovered(lives, opening.opened);
    opening.isChecked = true;
    if (fatal.length > 0 && random.chance(300)) break;
    if (random.chance(60)) void journal.reclaim(() => Promise.resolve()).catch(() => undefined);
    appendSome(lives, opening.opened);
  }
  if (opening.failure !== undefined && !(opening.failure instanceof DiskError)) throw opening.failure;
  if (opening.failure !== undefined) seen.failedOpens++;
  else if (opening.opened === undefined) seen.cutShort++;
  if ((opening.opened?.fatal.length ?? 0) > 0) seen.fatal++;
  seen.rolled += events.filter(({ type }) => type === 'segment-rolled').length;
  seen.removed += events.filter(({ type }) => type === 'segment-removed').length;
  lives.disk = random.chance(300) ? lives.disk.kill() : lives.disk.powerOff();
}

interface Opening {
  opened: OpenedJournal | undefined;
  failure: unknown;
  isChecked: boolean;
}

function startJournal({ disk, world }: Lives, events: JournalEvent[]): Opening {
  const opening: Opening = { opened: undefined, failure: undefined, isChecked: false };
  open(disk, { now: world.clock.monotonicMs, after: world.clock.after, onEvent: (event) => events.push(event) }).then(
    (opened) => {
      opening.opened = opened;
    },
    (error: unknown) => {
      opening.failure = error;
    },
  );
  return opening;
}

/** What an opened journal holds is durable: from now on it must not be lost. */
async function checkRecovered(lives: Lives, { journal }: OpenedJournal): Promise<void> {
  const { frames, acknowledged, seen } = lives;
  const state = await lives.world.settle(stateOf(journal));
  const faulty = journal.groups().filter((group) => group.faulty !== undefined);
  if (faulty.length > 0 || journal.stats().corruptFrames > 0) throw new Error(`a crash was taken for damage: ${JSON.stringify(faulty)}`);
  const found = prefixOf(frames, acknowledged, state);
  if (found === -1) {
    const anywhere = prefixOf(frames, 0, state);
    const what = anywhere === -1 ? `what was never there: ${JSON.stringify([...state])}` : `the first ${anywhere}`;
    throw new Error(`${acknowledged} acknowledged, ${frames.length} appended, found ${what}`);
  }
  seen.opened++;
  seen.lost += frames.length - found;
  seen.surplus += found - acknowledged;
  lives.frames = frames.slice(0, found);
  lives.model = modelOf(lives.frames);
  lives.acknowledged = found;
}

/** Length of the longest prefix of `frames`, of at least `from`, that makes this state; -1 if none does. */
function prefixOf(frames: readonly Frame[], from: number, state: ModelState): number {
  const model = modelOf(frames.slice(0, from));
  let found = sameState(model.state(), state) ? from : -1;
  for (const [i, frame] of frames.entries()) {
    if (i < from) continue;
    model.apply(frame);
    if (sameState(model.state(), state)) found = i + 1;
  }
  return found;
}

function modelOf(frames: readonly Frame[]): ReturnType<typeof createModel> {
  const model = createModel();
  for (const frame of frames) model.apply(frame);
  return model;
}

function appendSome(lives: Lives, { journal, fatal }: OpenedJournal): void {
  const frames = nextFrames(lives);
  const failedBefore = fatal.length > 0;
  lives.frames.push(...frames);
  const goal = lives.frames.length;
  void journal.append(frames).then(() => {
    if (failedBefore) throw new Error('acknowledged after a fatal error');
    lives.acknowledged = Math.max(lives.acknowledged, goal);
  });
}

function nextFrames({ model, random }: Lives): Frame[] {
  return Array.from({ length: random.between(1, 4) }, () => {
    const frame = nextFrame(model, random);
    model.apply(frame);
    return frame;
  });
}

function nextFrame(model: ReturnType<typeof createModel>, random: Stream): Frame {
  const group = random.between(1, groups);
  const state = model.group(group);
  const first = (state?.start.index ?? 0) + 1;
  const last = state?.entries.at(-1)?.index ?? first - 1;
  const term = Math.max(state?.hardState.term ?? 0, state?.start.term ?? 0, state?.entries.at(-1)?.term ?? 0, 1);
  const choice = random.below(20);
  if (choice < 3) return hard(group, term + (choice === 0 ? 1 : 0), random.below(4), last);
  if (choice === 3) return noop(group, last + 1, term);
  if (choice === 4 && last >= first) return command(group, random.between(first, last), term + 1, 'again');
  if (choice < 7 && last > first + 1) {
    const index = last - 1;
    return start(group, index, state?.entries.find((entry) => entry.index === index)?.term ?? term);
  }
  return command(group, last + 1, term, `${group}/${last + 1}`.padEnd(random.between(8, 900), '.'));
}
