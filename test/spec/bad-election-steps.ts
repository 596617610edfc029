/**
 * Steps that Raft does not allow, made of good ones: messages, writes, terms, votes and
 * elections. Each returns undefined for events that the change does not fit.
 */
import {
  isGrant,
  isKind,
  type Loose,
  more,
  received,
  sending,
  when,
  withEffects,
  withInput,
  withStatus,
  type Change,
} from './change-event.ts';
import type { Rule } from './violation.ts';
import type { Event } from './raft-spec.ts';

export const badElectionSteps: readonly (readonly [Rule, string, Change])[] = [
  [
    'message-sent',
    'a heartbeat tells another commit than was sent',
    (e) =>
      when(received(e, 'heartbeat-request') !== undefined, () =>
        withInput(e, { message: more(received(e, 'heartbeat-request')!, 'commit', 1000) }),
      ),
  ],
  [
    'message-sent',
    'an acknowledgement nobody sent',
    (e) =>
      when(received(e, 'append-response')?.['reject'] === false, () =>
        withInput(e, { message: more(received(e, 'append-response')!, 'index', 5000) }),
      ),
  ],
  [
    'entry-unique',
    'an entry changes its content on the way',
    (e) =>
      when(
        (received(e, 'append-request')?.['entries'] as { kind: string }[] | undefined)?.some(({ kind }) => kind === 'command') === true,
        () => {
          const message = received(e, 'append-request')!;
          const entries = (message['entries'] as Loose[]).map((entry) => ({ ...entry, payload: 'forged' }));
          return withInput(e, { message: { ...message, entries } });
        },
      ),
  ],
  [
    'persisted-order',
    'a write is reported that was never ordered',
    (e) => when(e.input.type === 'persisted', () => withInput(e, { token: 100_000 })),
  ],
  ['persisted-order', 'a write is reported again', (e) => when(e.input.type === 'persisted', () => withInput(e, { token: 0 }))],
  [
    'write-token',
    'a token is left out',
    (e) => when(e.effects.write !== undefined, () => withEffects(e, { write: { ...e.effects.write, token: e.effects.write!.token + 1 } })),
  ],
  [
    'write-token',
    'messages wait for a write that does not exist',
    (e) =>
      when(e.effects.write?.entries.length === 0 && e.effects.write.hardState === undefined && e.effects.sendAfterWrite.length > 0, () => {
        const { write: _, ...effects } = e.effects;
        return { ...e, effects };
      }),
  ],
  [
    'term-monotonic',
    'a term goes back',
    (e, before) => when(before.term > 1 && e.effects.write === undefined, () => withStatus(e, { term: before.term - 1 })),
  ],
  [
    'term-cause',
    'a term comes from nowhere',
    (e, before) =>
      when(e.input.type === 'tick' && e.status.role === 'follower' && before.role === 'follower', () =>
        withStatus(e, { term: before.term + 1, vote: 0 }),
      ),
  ],
  [
    'term-cause',
    'a campaign skips a term',
    (e, before) => when(e.status.role === 'candidate' && e.status.term > before.term, () => withStatus(e, { term: e.status.term + 3 })),
  ],
  ['message-term', "an append of a term that is not the sender's", (e) => sending(e, isKind('append-request'), (m) => more(m, 'term'))],
  [
    'vote-once',
    'a second vote in a term',
    (e, before) =>
      when(before.vote !== 0 && e.status.term === before.term && e.input.type === 'tick', () => withStatus(e, { vote: before.vote + 1 })),
  ],
  ['vote-once', 'a vote for another than who asked', (e) => sending(e, isGrant, (m) => more(m, 'to'))],
  [
    'vote-once',
    'a refusal becomes a grant without a vote',
    (e, before) =>
      when(
        before.vote !== 0 &&
          e.status.vote === before.vote &&
          e.status.term === before.term &&
          before.vote !== received(e, 'vote-request')?.['from'],
        () =>
          sending(
            e,
            (m) => m['kind'] === 'vote-response' && m['preVote'] === false && m['term'] === received(e, 'vote-request')?.['term'],
            (m) => ({ ...m, reject: false }),
          ),
      ),
  ],
  [
    'vote-log-check',
    'a vote for a shorter log',
    (e) =>
      when(
        received(e, 'vote-request')?.['preVote'] === false &&
          e.status.last.index > (received(e, 'vote-request')?.['index'] as number) &&
          (received(e, 'vote-request')?.['indexTerm'] as number) <= e.status.last.term &&
          received(e, 'vote-request')?.['term'] === e.status.term &&
          e.status.vote === 0,
        () => {
          const request = received(e, 'vote-request')!;
          const grant = { kind: 'vote-response', from: e.node, to: request['from'], term: e.status.term, preVote: false, reject: false };
          const token = (e.effects.write?.token ?? 0) || undefined;
          const hardState = { term: e.status.term, votedFor: request['from'], commit: 0 };
          if (token === undefined) return undefined;
          return {
            ...withEffects(e, { send: [], write: { ...e.effects.write, hardState }, sendAfterWrite: [grant] }),
            status: { ...e.status, vote: request['from'] },
          } as Event;
        },
      ),
  ],
  [
    'vote-log-check',
    'a pre-vote for a shorter log',
    (e) =>
      when(
        received(e, 'vote-request')?.['preVote'] === true && (received(e, 'vote-request')?.['indexTerm'] as number) < e.status.last.term,
        () => sending(e, isKind('vote-response'), (m) => ({ ...m, reject: false, term: received(e, 'vote-request')!['term'] })),
      ),
  ],
  [
    'vote-durable',
    'a vote leaves before it is on disk',
    (e) => when(e.effects.write?.hardState !== undefined, () => sending(e, isGrant, (m) => m, 'send')),
  ],
  [
    'hard-state-written',
    'a vote is not written',
    (e) =>
      when(e.effects.write?.hardState !== undefined && e.effects.sendAfterWrite.some((m) => isGrant(m as unknown as Loose)), () => {
        const { hardState: _, ...write } = e.effects.write!;
        return withEffects(e, { write });
      }),
  ],
  [
    'hard-state-written',
    'a commit index is written that is ahead of the disk',
    (e) =>
      when(e.effects.write?.hardState !== undefined, () =>
        withEffects(e, { write: { ...e.effects.write, hardState: { ...e.effects.write!.hardState, commit: e.status.last.index + 1 } } }),
      ),
  ],
  [
    'pre-vote-changes-nothing',
    'a pre-vote raises the term',
    (e, before) =>
      when(received(e, 'vote-request')?.['preVote'] === true && (received(e, 'vote-request')?.['term'] as number) > before.term, () =>
        withStatus(e, { term: before.term + 1, vote: 0 }),
      ),
  ],
  ['campaign', 'a candidate claims a longer log', (e) => sending(e, isKind('vote-request'), (m) => more(m, 'index'))],
  [
    'campaign',
    'a follower asks for votes',
    (e) =>
      when(e.status.role === 'candidate', () => withStatus(e, { role: 'follower' })) &&
      sending(
        { ...e, status: { ...e.status } },
        (m) => m['kind'] === 'vote-request' && m['preVote'] === false,
        (m) => more(m, 'term'),
      ),
  ],
  [
    'campaign-durable',
    'a candidate asks before its vote is on disk',
    (e) =>
      sending(
        e,
        (m) => m['kind'] === 'vote-request' && m['preVote'] === false,
        (m) => m,
        'send',
      ),
  ],
  [
    'transfer-cause',
    'a campaign claims to be a transfer',
    (e) =>
      when(received(e, 'timeout-now') === undefined, () =>
        sending(
          e,
          (m) => m['kind'] === 'vote-request' && m['preVote'] === false,
          (m) => ({ ...m, transfer: true }),
        ),
      ),
  ],
  [
    'election-quorum',
    'a candidate leads without a majority',
    (e, before) =>
      when(
        e.input.type === 'tick' &&
          before.role === 'candidate' &&
          e.status.role === 'candidate' &&
          e.status.term === before.term &&
          e.status.membership.voters.length > 2,
        () => withStatus(e, { role: 'leader', leader: e.node }),
      ),
  ],
  [
    'one-leader-per-term',
    'a follower declares itself leader of a term that has one',
    (e) =>
      when(e.status.role === 'follower' && e.status.leader !== 0 && e.input.type === 'tick', () =>
        withStatus(e, { role: 'leader', leader: e.node }),
      ),
  ],
];
