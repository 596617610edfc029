/** Who takes part in the next turn, and how the host ends. */
import type { GroupState, HostState, InboxItem } from './state.ts';

/** Queues an input for the group's next turn. */
export function enqueue(host: HostState, group: GroupState, item: InboxItem): void {
  if (group.removed || group.faulty || host.failed) return;
  group.inbox.push(item);
  wake(host, group);
}

/** Makes sure that the group takes part in the next turn. */
export function wake(host: HostState, group: GroupState): void {
  if (!group.queued) {
    group.queued = true;
    host.dirty.push(group);
  }
  if (host.turnScheduled) return;
  host.turnScheduled = true;
  host.options.clock.nextTurn(host.runTurn);
}

/** Stops the host for good: nothing is stepped, sent or acknowledged any more. */
export function failHost(host: HostState, error: unknown): void {
  if (host.failed) return;
  host.failed = true;
  host.stopTicks();
  host.options.onFatal(error);
}
