/**
 * Scrub: reads everything this disk keeps for its groups now and then, because a bit that
 * has flipped in a cold segment is harmless only as long as the other copies are sound.
 * Damage takes the way of damage that a reader finds: the group falls silent and is
 * repaired from its peers (repair.ts).
 *
 * One small read at a time, at a bounded rate, driven by ticks; passes begin at most once
 * per scrubPassMs, so that a small journal is not read over and over.
 */
import { asRaftIndex } from '../core/ids.ts';
import { JournalCorrupt } from '../storage/journal/vocabulary.ts';
import { becomeFaulty } from './repair.ts';
import { failHost } from './schedule.ts';
import type { GroupState, HostState } from './state.ts';

/** Entry bytes of one read. */
const readBytesMax = 1024 * 1024;

export function scrubOnTick(host: HostState, nowMs: number): void {
  const { scrub, limits } = host;
  if (scrub.busy || nowMs < scrub.nextMs) return;
  if (!scrub.reading) beginPass(host, nowMs);
  const group = nextGroup(host);
  if (group === undefined) {
    endPass(host, nowMs);
    return;
  }
  scrub.busy = true;
  readSome(host, group)
    .then((bytes) => {
      scrub.bytes += bytes;
      scrub.nextMs = nowMs + (bytes / limits.scrubBytesPerSecond) * 1000;
    })
    .catch((error: unknown) => failHost(host, error))
    .finally(() => {
      scrub.busy = false;
    });
}

function beginPass({ scrub, groups }: HostState, nowMs: number): void {
  Object.assign(scrub, { reading: true, queue: [...groups.keys()], at: undefined, startedMs: nowMs, bytes: 0 });
}

function endPass({ scrub, limits, options }: HostState, nowMs: number): void {
  scrub.reading = false;
  scrub.nextMs = nowMs + limits.scrubPassMs;
  options.observer?.onScrubbed?.(scrub.bytes, nowMs - scrub.startedMs);
}

/** The first group of the queue that has something left to read. */
function nextGroup(host: HostState): GroupState | undefined {
  const { scrub } = host;
  for (let id = scrub.queue[0]; id !== undefined; id = scrub.queue[0]) {
    const group = host.groups.get(id);
    if (group !== undefined && !group.faulty && !group.removed && (scrub.at ?? 0) <= group.applied) return group;
    scrub.queue.shift();
    scrub.at = undefined;
  }
  return undefined;
}

/** Reads on in `group`; returns the bytes read. Applied entries only: they are on this disk and are not cut any more. */
async function readSome(host: HostState, group: GroupState): Promise<number> {
  const { scrub } = host;
  const first = scrub.at ?? asRaftIndex(1);
  try {
    const { next, bytes } = await host.options.journal.verify(group.key, first, group.applied, readBytesMax);
    scrub.at = next;
    return bytes;
  } catch (error) {
    if (!(error instanceof JournalCorrupt)) throw error;
    becomeFaulty(host, group, error);
    return 0;
  }
}
