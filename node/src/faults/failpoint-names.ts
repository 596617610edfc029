/**
 * The named points at which a broker can be made to end, wait or fail.
 *
 * Three kinds: a waiting point lies before or after something that is waited for; at a
 * dropping point a message is about to be sent or taken, synchronously; a passing point
 * is synchronous and what follows it cannot fail.
 */

/**
 *   journal.*    a batch: its write, and the datasync that makes it durable
 *   segment.*    a prepared segment gets its name; a reclaimed one is removed
 *   watermark.*  the file beside the segments
 *   checkpoint.* machine states go to the state store, or old ones are deleted there
 *   state.*      the state store is flushed
 *   produce.*    a batch has come; its outcome is known and not told
 *
 * `error`: the operation fails as if the disk had refused it; `produce.*` answers INTERNAL.
 */
export const waitingPoints = [
  'journal.before-write',
  'journal.after-write',
  'journal.before-sync',
  'journal.after-sync',
  'segment.before-naming',
  'segment.after-naming',
  'segment.before-removal',
  'segment.after-removal',
  'watermark.before-write',
  'watermark.after-write',
  'watermark.before-sync',
  'watermark.after-sync',
  'checkpoint.before-write',
  'checkpoint.after-write',
  'state.before-flush',
  'state.after-flush',
  'produce.before-append',
  'produce.before-answer',
] as const;

/**
 *   raft.before-send         a frame of messages for one peer
 *   raft.before-receive      a frame of messages from one peer
 *   snapshot.before-confirm  a snapshot of the leader is durable here; the frame tells it so
 *
 * `error`: the frame is lost.
 */
export const droppingPoints = ['raft.before-send', 'raft.before-receive', 'snapshot.before-confirm'] as const;

/**
 *   raft.after-send         the transport has taken a frame
 *   membership.before-write a change of a group's members goes to the journal next
 *   membership.after-commit it is committed, and its neighbours are applied next
 *   machine.*-apply         committed commands of one group
 *   machine.*-restore       a machine takes over a state: its leader's snapshot, or its own at a start
 */
export const passingPoints = [
  'raft.after-send',
  'membership.before-write',
  'membership.after-commit',
  'machine.before-apply',
  'machine.after-apply',
  'machine.before-restore',
  'machine.after-restore',
] as const;

export const failpointNames = [...waitingPoints, ...droppingPoints, ...passingPoints] as const;

export type WaitingPoint = (typeof waitingPoints)[number];
export type DroppingPoint = (typeof droppingPoints)[number];
export type PassingPoint = (typeof passingPoints)[number];
export type FailpointName = (typeof failpointNames)[number];

const passing: ReadonlySet<FailpointName> = new Set(passingPoints);
export const canFail = (point: FailpointName): boolean => !passing.has(point);
