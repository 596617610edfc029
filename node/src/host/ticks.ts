/**
 * The pulse of the host: one tick for all groups, so that their heartbeats coincide
 * and share a frame per peer. Deadlines are checked here too, only where one is due.
 */
import { checkpoint } from './checkpoint.ts';
import { expireWatches } from './leadership.ts';
import { earliestProposalDeadline, expireProposals } from './propose.ts';
import { earliestReadDeadline, expireReads } from './reads.ts';
import { repairOnTick } from './repair.ts';
import { scrubOnTick } from './scrub.ts';
import type { GroupState, HostState } from './state.ts';
import { enqueue, failHost } from './schedule.ts';

/** A dirty machine is checkpointed at least this often, so that a start replays little. */
const checkpointEveryTicks = 600;

export function startTicks(host: HostState): void {
  host.stopTicks = host.options.clock.every(host.options.tickMs, () => tick(host));
}

function tick(host: HostState): void {
  host.ticks += 1;
  const nowMs = host.options.clock.monotonicMs();
  for (const group of host.groups.values()) {
    if (group.faulty) repairOnTick(host, group);
    else enqueue(host, group, { input: { type: 'tick', now: host.ticks } });
    if (group.nextDeadlineMs <= nowMs) expire(host, group, nowMs);
    // Spread over the period by group, so that a node with many groups has no checkpoint storm.
    if ((host.ticks + group.key.group) % checkpointEveryTicks === 0) {
      checkpoint(host, group).catch((error: unknown) => failHost(host, error));
    }
  }
  scrubOnTick(host, nowMs);
}

function expire(host: HostState, group: GroupState, nowMs: number): void {
  expireProposals(host, group, nowMs);
  expireReads(group, nowMs);
  expireWatches(group, nowMs);
  const watches = group.watches.reduce((earliest, watch) => Math.min(earliest, watch.deadlineMs), Number.POSITIVE_INFINITY);
  group.nextDeadlineMs = Math.min(earliestProposalDeadline(group), earliestReadDeadline(group), watches);
}
