/**
 * Steps that Raft does not allow, made of good ones: logs, commits, memberships, snapshots
 * and reads. Each returns undefined for events that the change does not fit.
 */
import {
  appendsAsFollower,
  appendsAsLeader,
  becomesLeader,
  changesMembership,
  firstEntry,
  isAck,
  isKind,
  type Loose,
  more,
  nextToken,
  ownFirst,
  pendingMembership,
  received,
  sending,
  when,
  withEffects,
  withEntries,
  withInput,
  withStatus,
  type Change,
} from './change-event.ts';
import type { Rule } from './violation.ts';
import type { StepEvent } from './step.ts';
import type { Event } from './raft-spec.ts';

export const badLogSteps: readonly (readonly [Rule, string, Change])[] = [
  [
    'leader-noop',
    'a leader begins with nothing of its own',
    (e, before) => when(becomesLeader(e, before), () => withEntries(e, (entry) => ({ ...entry, kind: 'command', payload: 'first' }))),
  ],
  [
    'leader-only',
    'a follower sends an append',
    (e) =>
      when(e.status.role === 'follower' && e.input.type === 'tick', () =>
        withEffects(e, {
          send: [
            {
              kind: 'append-request',
              from: e.node,
              to: e.node + 1,
              term: e.status.term,
              index: 0,
              indexTerm: 0,
              commit: 0,
              entries: { first: 1, last: 0 },
            },
          ],
        }),
      ),
  ],
  [
    'leader-known',
    'a follower follows somebody who never led',
    (e) => when(e.status.role === 'follower' && e.input.type === 'tick', () => withStatus(e, { leader: 99 })),
  ],
  [
    'leader-append-only',
    'a leader appends with an old term',
    (e) => when(appendsAsLeader(e), () => withEntries(e, (entry) => more(entry, 'term', -1))),
  ],
  ['leader-append-only', 'a leader leaves a gap', (e) => when(appendsAsLeader(e), () => withEntries(e, (entry) => more(entry, 'index')))],
  [
    'append-cause',
    'a follower appends by itself',
    (e) =>
      when(e.status.role === 'follower' && e.input.type === 'persisted' && e.effects.write === undefined, () => {
        const entry = { index: e.status.last.index + 1, term: e.status.term, size: 0, kind: 'noop' };
        return withEffects(e, { write: { token: nextToken.get(e.node)!, entries: [entry] } });
      }),
  ],
  [
    'append-consistency',
    'a follower appends what does not follow its log',
    (e, before) =>
      when(
        received(e, 'append-request') !== undefined &&
          (received(e, 'append-request')!['index'] as number) > before.last.index &&
          (received(e, 'append-request')!['entries'] as unknown[]).length > 0 &&
          e.effects.write === undefined,
        () => withEffects(e, { write: { token: nextToken.get(e.node)!, entries: received(e, 'append-request')!['entries'] } }),
      ),
  ],
  [
    'append-content',
    'a follower leaves out an entry of the message',
    (e) =>
      when(appendsAsFollower(e) && e.effects.write!.entries.length > 1, () =>
        withEffects(e, { write: { ...e.effects.write, entries: e.effects.write!.entries.slice(0, -1) } }),
      ),
  ],
  [
    'append-content',
    'a follower appends something else',
    (e) =>
      when(appendsAsFollower(e) && firstEntry(e)!.kind === 'command', () => withEntries(e, (entry) => ({ ...entry, payload: 'other' }))),
  ],
  [
    'truncate-conflict',
    'a message that brings nothing new cuts the log',
    (e, before) =>
      when(e.effects.write?.entries.length === 0 || e.effects.write === undefined, () => {
        const message = received(e, 'append-request');
        const entries = (message?.['entries'] ?? []) as { index: number }[];
        if (message?.['term'] !== before.term || entries.length === 0 || entries[0]!.index <= before.commit) return undefined;
        if (entries.at(-1)!.index > before.last.index || !e.effects.sendAfterWrite.some((m) => isAck(m as unknown as Loose)))
          return undefined;
        return withEffects(e, { write: { token: nextToken.get(e.node)!, ...e.effects.write, entries } });
      }),
  ],
  [
    'truncate-committed',
    'a message cuts what is committed',
    (e, before) =>
      when(e.effects.write?.entries.length === 0 || e.effects.write === undefined, () => {
        const message = received(e, 'append-request');
        const entries = (message?.['entries'] ?? []) as { index: number }[];
        if (message?.['term'] !== before.term || entries.length === 0 || entries[0]!.index > before.commit) return undefined;
        if (!e.effects.sendAfterWrite.concat(e.effects.send).some((m) => isAck(m as unknown as Loose))) return undefined;
        return withEffects(e, { write: { token: nextToken.get(e.node)!, ...e.effects.write, entries } });
      }),
  ],
  [
    'append-request',
    'a leader sends what it does not have',
    (e) => sending(e, isKind('append-request'), (m) => ({ ...m, entries: more(m['entries'] as Loose, 'last', 100) })),
  ],
  ['append-request', 'a leader tells a commit that is none', (e) => sending(e, isKind('append-request'), (m) => more(m, 'commit', 1000))],
  [
    'ack-matched',
    'an acknowledgement names the end of the log, not of the message',
    (e) => {
      const message = received(e, 'append-request');
      const end = message === undefined ? 0 : (message['index'] as number) + (message['entries'] as unknown[]).length;
      return when(end > e.status.commit && e.status.last.index > end, () =>
        sending(e, isAck, (m) => ({ ...m, index: e.status.last.index })),
      );
    },
  ],
  [
    'ack-durable',
    'an acknowledgement leaves before its entries are on disk',
    (e) => when(appendsAsFollower(e), () => sending(e, isAck, (m) => m, 'send')),
  ],
  [
    'commit-monotonic',
    'a commit index goes back',
    (e, before) => when(before.commit > 0, () => withStatus(e, { commit: before.commit - 1 })),
  ],
  [
    'commit-in-log',
    'a commit beyond the log',
    (e) => when(received(e, 'heartbeat-request') !== undefined, () => withStatus(e, { commit: e.status.last.index + 1 })),
  ],
  [
    'commit-quorum',
    'a leader commits what only it has',
    (e, before) =>
      when(appendsAsLeader(e) && e.status.membership.voters.length > 1 && e.status.commit === before.commit, () =>
        withStatus(e, { commit: e.status.last.index }),
      ),
  ],
  [
    'commit-current-term',
    'a leader commits an entry of an older term',
    (e, before) =>
      when(becomesLeader(e, before) && e.status.last.index - 1 > e.status.commit, () => withStatus(e, { commit: e.status.last.index - 1 })),
  ],
  [
    'commit-follower',
    'a follower commits all that it has',
    (e) => {
      const message = received(e, 'append-request');
      const told =
        message === undefined
          ? 0
          : Math.min(message['commit'] as number, (message['index'] as number) + (message['entries'] as unknown[]).length);
      return when(message?.['term'] === e.status.term && e.status.last.index > Math.max(told, e.status.commit), () =>
        withStatus(e, { commit: e.status.last.index }),
      );
    },
  ],
  [
    'commit-cause',
    'a follower commits by itself',
    (e) =>
      when(e.input.type === 'tick' && e.status.role === 'follower' && e.status.last.index > e.status.commit, () =>
        withStatus(e, { commit: e.status.last.index }),
      ),
  ],
  [
    'heartbeat-commit',
    'a heartbeat tells more than the receiver is known to hold',
    (e) =>
      when(e.status.membership.voters.length > 1, () =>
        sending(
          e,
          (m) => m['kind'] === 'heartbeat-request' && (m['commit'] as number) < e.status.commit,
          (m) => ({ ...m, commit: e.status.commit }),
        ),
      ),
  ],
  [
    'apply-order',
    'an entry is handed over twice',
    (e) =>
      when(e.effects.committed !== undefined && e.effects.committed.first > 1, () =>
        withEffects(e, { committed: { ...e.effects.committed, first: e.effects.committed!.first - 1 } }),
      ),
  ],
  [
    'apply-order',
    'the machine applies what it was not given',
    (e) => when(e.input.type === 'applied', () => withInput(e, { index: 100_000 })),
  ],
  [
    'apply-durable',
    'the machine gets what is not on disk',
    (e) =>
      when(
        e.status.commit > e.status.durable && (e.effects.committed?.last ?? 0) < e.status.commit && e.effects.committed !== undefined,
        () => withEffects(e, { committed: { ...e.effects.committed, last: e.status.commit } }),
      ),
  ],
  [
    'membership-one-at-a-time',
    'a change begins before the last one is committed',
    (e) =>
      when(appendsAsLeader(e) && changesMembership(e) === undefined && pendingMembership.has(e.node), () => {
        const membership = { ...e.status.membership, learners: [] };
        return {
          ...withEntries(e, (entry) => ({ ...entry, kind: 'membership', membership, payload: undefined })),
          input: { type: 'campaign' },
        } as Event;
      }),
  ],
  [
    'membership-step',
    'two voters change at once',
    (e) => {
      const entry = changesMembership(e);
      return when(entry?.kind === 'membership' && e.effects.write!.entries[0] === entry, () => {
        const membership = { voters: [11, 12, 13], outgoing: [], learners: [], learnersNext: [], autoLeave: false };
        return withStatus(withEntries(e, (each) => ({ ...each, membership })) as StepEvent, { membership });
      });
    },
  ],
  [
    'membership-follows-log',
    'an old membership stays in force',
    (e, before) =>
      when(changesMembership(e) !== undefined && e.status.membership.voters.join() !== before.membership.voters.join(), () =>
        withStatus(e, { membership: before.membership }),
      ),
  ],
  [
    'membership-own-term',
    'a new leader changes the membership before it has committed',
    (e, before) =>
      when(becomesLeader(e, before), () => {
        const { write } = e.effects;
        const membership = { ...e.status.membership, learners: [] };
        const entry = { index: e.status.last.index + 1, term: e.status.term, size: 0, kind: 'membership', membership };
        return withEffects(e, { write: { ...write, entries: [...write!.entries, entry] } });
      }),
  ],
  [
    'snapshot-committed',
    'a snapshot of what is not committed',
    (e) =>
      when(received(e, 'snapshot-request') !== undefined, () => {
        const message = received(e, 'snapshot-request')!;
        return withInput(e, { message: { ...message, snapshot: more(message['snapshot'] as Loose, 'index', 1000) } });
      }),
  ],
  [
    'snapshot-behind',
    'a snapshot replaces what is ahead of it',
    (e, before) => {
      const snapshot = received(e, 'snapshot-request')?.['snapshot'] as { index: number } | undefined;
      return when(
        snapshot !== undefined &&
          e.effects.write?.snapshot === undefined &&
          snapshot.index <= before.commit &&
          received(e, 'snapshot-request')!['term'] === e.status.term,
        () => withEffects(e, { write: { token: nextToken.get(e.node)!, entries: [], ...e.effects.write, snapshot } }),
      );
    },
  ],
  [
    'compaction',
    'the log is compacted beyond what is applied',
    (e) => when(e.input.type === 'compact', () => withInput(e, { index: e.status.applied + 1 })),
  ],
  [
    'read-floor',
    'a read is answered from before it',
    (e) => when(e.effects.reads.length > 0, () => withEffects(e, { reads: e.effects.reads.map((read) => ({ ...read, index: 0 })) })),
  ],
  [
    'read-quorum',
    'a read is answered before anybody follows',
    (e) =>
      when(
        e.input.type === 'read' &&
          e.effects.reads.length === 0 &&
          e.effects.readsRefused.length === 0 &&
          e.status.membership.voters.length > 2 &&
          e.status.membership.outgoing.length === 0,
        () => {
          const { context } = e.input as { readonly context: number };
          return withEffects(e, { reads: [{ context, index: e.status.commit }] });
        },
      ),
  ],
  [
    'read-own-term',
    'a new leader answers a read before it has committed',
    (e) =>
      when(e.input.type === 'read' && e.status.role === 'leader' && e.status.commit < (ownFirst.get(e.node) ?? 0), () => {
        const { context } = e.input as { readonly context: number };
        return withEffects(e, { reads: [{ context, index: e.status.commit }] });
      }),
  ],
  ['read-echo', 'an echo of a round that was not asked', (e) => sending(e, isKind('heartbeat-response'), (m) => more(m, 'readRound', 7))],
  [
    'propose-answer',
    'an accepted command is not appended',
    (e) =>
      when(e.input.type === 'propose' && e.effects.accepted !== undefined, () => {
        const { accepted: _, ...effects } = e.effects;
        return { ...e, effects: { ...effects, refused: 'transferring' as const } };
      }),
  ],
  ['status-log', 'the log is longer than its writes', (e) => withStatus(e, { last: { ...e.status.last, index: e.status.last.index + 1 } })],
  [
    'durable-claim',
    'a write counts before it is reported',
    (e) => when(appendsAsFollower(e), () => withStatus(e, { durable: e.status.last.index })),
  ],
];
