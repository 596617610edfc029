/**
 * The producers of a workload: together they offer so many records per second, open loop.
 * What cannot be sent because too much is unanswered, or because nobody is there to send it,
 * is skipped and counted, not queued.
 *
 * Bounds: `openSendsMax` unanswered sends of one producer; `dueMax` records that one tick makes up for.
 */
import type { LoadControl } from '../nemesis/load-control.ts';
import type { PartitionRef } from '../record/timeline.ts';
import type { Load } from '../scenario/load.ts';
import { type Crew, guard, isStopping, noteFailure } from './crew.ts';
import { createOpenLoop, type OpenLoop, takeDue } from './open-loop.ts';
import { createSlots, loseBusiest, retire, type Slot } from './producer-slots.ts';
import { setCopies } from './repeating-transport.ts';
import { send } from './send.ts';

export interface TopicShape {
  readonly name: string;
  readonly partitions: number;
}

export interface Producers extends LoadControl {
  /** Records that were due and not sent. */
  readonly skipped: () => number;
  readonly stop: () => Promise<void>;
}

interface Producing {
  readonly crew: Crew;
  readonly load: Load;
  readonly slots: readonly Slot[];
  readonly places: readonly PartitionRef[];
  /** Of records: they are due one by one, and sent in groups that use up as many as are due. */
  readonly loop: OpenLoop;
  owed: number;
  group: number;
  factor: number;
  /** Records. */
  skipped: number;
  turn: number;
}

const tickMs = 5;
const msPerSecond = 1000;
const nsPerMs = 1e6;
const openSendsMax = 2000;
const dueMax = 1000;

export function startProducers(crew: Crew, load: Load, topics: readonly TopicShape[]): Producers {
  const slots = createSlots(crew, load);
  const places = placesOf(topics);
  const loop = createOpenLoop(nowMs(crew), msPerSecond / load.recordsPerSecond);
  const group = drawGroup(crew, load);
  const producing: Producing = { crew, load, slots, places, loop, owed: 0, group, factor: 1, skipped: 0, turn: 0 };
  const started = Promise.all(slots.map(({ filling }) => filling)).then(() => startSchedule(producing));
  return {
    skipped: () => producing.skipped + loop.skipped,
    setRate: (factor) => {
      producing.factor = factor;
    },
    setRepeats: (copies) => setCopies(crew.repeating, copies),
    repeats: () => ({ ...crew.repeating }),
    crashProducer: () => loseBusiest(crew, load, slots),
    stop: async () => {
      clearInterval(await started);
      await Promise.all(slots.map((slot) => retire(crew, load, slot)));
    },
  };
}

export const placesOf = (topics: readonly TopicShape[]): readonly PartitionRef[] =>
  topics.flatMap(({ name, partitions }) => Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition })));

const nowMs = ({ nowNs }: Crew): number => nowNs() / nsPerMs;

const drawGroup = ({ random }: Crew, { sendRecordsMax }: Load): number => random.between(1, sendRecordsMax);

/** Nothing is due before the first producers have connected. */
function startSchedule(producing: Producing): NodeJS.Timeout | undefined {
  const { crew, slots, loop } = producing;
  if (slots.length === 0 || isStopping(crew)) return undefined;
  loop.nextMs = nowMs(crew);
  return setInterval(() => guard(crew, 'producers', () => sendDue(producing)), tickMs);
}

function sendDue(producing: Producing): void {
  const { crew, load, loop } = producing;
  if (isStopping(crew)) return;
  producing.owed += takeDue(loop, nowMs(crew), dueMax, producing.factor).length;
  while (producing.owed >= producing.group) {
    producing.owed -= producing.group;
    if (!sendGroup(producing, producing.group)) producing.skipped += producing.group;
    producing.group = drawGroup(crew, load);
  }
}

/** Whether it was sent. The producers take turns, whether they can send or not. */
function sendGroup(producing: Producing, records: number): boolean {
  const { crew, load, slots, places } = producing;
  const session = slots[producing.turn % slots.length]?.occupant?.session;
  producing.turn += 1;
  if (session === undefined || session.open.size >= openSendsMax) return false;
  const [bytesMin, bytesMax] = load.recordBytes;
  const sizes = Array.from({ length: records }, () => crew.random.between(bytesMin, bytesMax));
  send(crew, session, crew.random.pick(places), sizes).done.catch((error: unknown) => noteFailure(crew, session.session, error));
  return true;
}
