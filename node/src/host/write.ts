/**
 * From Raft writes to the journal. All writes of a turn are one append; when it is on
 * disk the messages that waited for it leave, and each core learns its token.
 *
 * Failure contract: the journal never resolves an append that is not durable; a fatal
 * journal error ends the process, so a write is either reported or never mattered.
 */
import type { Write } from '../core/raft/effects.ts';
import type { OutgoingMessage } from '../core/raft/message.ts';
import type { Frame } from '../storage/journal/vocabulary.ts';
import { createOutbox, flushOutbox, queueMessage } from './outbox.ts';
import type { GroupState, HostState } from './state.ts';
import { enqueue, failHost } from './schedule.ts';

interface WaitingWrite {
  readonly group: GroupState;
  readonly token: number;
  readonly messages: readonly OutgoingMessage[];
}

export interface WriteSet {
  readonly frames: Frame[];
  readonly waiting: WaitingWrite[];
  bytes: number;
}

export const createWriteSet = (): WriteSet => ({ frames: [], waiting: [], bytes: 0 });

/** Adds one step's write. Hard state goes before the entries: a recovered entry never has a term the node does not know. */
export function addWrite(set: WriteSet, group: GroupState, write: Write<Uint8Array>, messages: readonly OutgoingMessage[]): void {
  const key = group.key;
  if (write.hardState !== undefined) set.frames.push({ ...key, kind: 'hard-state', hardState: write.hardState });
  if (write.snapshot !== undefined) set.frames.push({ ...key, kind: 'log-start', snapshot: write.snapshot });
  for (const entry of write.entries) {
    set.frames.push({ ...key, kind: 'entry', entry });
    set.bytes += entry.size;
  }
  set.waiting.push({ group, token: write.token, messages });
}

/** Hands the set to the journal. Space was checked before anything was stepped, so all frames may use the reserve. */
export function submitWrites(host: HostState, set: WriteSet): void {
  host.claimedBytes = 0;
  if (set.waiting.length === 0) return;
  host.unsyncedBytes += set.bytes;
  host.options.journal.append(set.frames, { purpose: 'essential' }).then(
    () => {
      host.unsyncedBytes -= set.bytes;
      releaseWrites(host, set.waiting);
    },
    (error: unknown) => failHost(host, error),
  );
}

function releaseWrites(host: HostState, waiting: readonly WaitingWrite[]): void {
  if (host.failed) return;
  const outbox = createOutbox();
  for (const { group, token, messages } of waiting) {
    if (group.removed || group.faulty) continue;
    for (const message of messages) queueMessage(host, group, message, outbox);
    enqueue(host, group, { input: { type: 'persisted', token } });
  }
  flushOutbox(host, outbox);
}
