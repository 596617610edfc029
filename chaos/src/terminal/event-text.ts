/** What happened to a cluster, in a line for a terminal; nothing for what would only be noise there. Pure. */
import type { TimelineEvent } from '../record/timeline.ts';

export function eventText(event: TimelineEvent): string | undefined {
  switch (event.kind) {
    case 'phase':
      return event.phase === 'drain' ? 'reading everything back, from clients and from every replica' : undefined;
    case 'fault-began':
      return `fault ${event.fault}: ${event.what}`;
    case 'fault-proven':
      return (
        event.proofs
          .filter(({ holds }) => !holds)
          .map(({ claim, evidence }) => `fault ${event.fault} could not be shown: ${claim}: ${evidence}`)
          .join('; ') || undefined
      );
    case 'fault-ended':
      return event.by === 'schedule'
        ? undefined
        : `fault ${event.fault} ended by ${event.by === 'ttl' ? 'its time limit' : 'the final heal'}`;
    case 'node':
      return event.state === 'ended' && event.exit?.expected === false
        ? `node ${event.node} ended by itself (${event.exit.signal ?? `exit code ${event.exit.code}`})`
        : undefined;
    case 'remark':
      return event.text;
    case 'leader':
    case 'fully-replicated':
      return undefined;
  }
}
