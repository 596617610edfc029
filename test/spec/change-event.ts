/** Ways to change one event of a trace, and what a change may need to know of the trace so far. */
import type { Message, OutgoingMessage } from '@balsa/node/core/raft/message.ts';
import type { Event } from './raft-spec.ts';
import type { StepEvent } from './step.ts';

export type Change = (event: StepEvent, before: StepEvent['status']) => Event | undefined;

export type Loose = Record<string, unknown>;

export const withStatus = (event: StepEvent, status: Loose): Event => ({ ...event, status: { ...event.status, ...(status as object) } });
export const withEffects = (event: StepEvent, effects: Loose): Event => ({
  ...event,
  effects: { ...event.effects, ...(effects as object) },
});
export const withInput = (event: StepEvent, input: Loose): Event => ({ ...event, input: { ...event.input, ...input } as never });

export const received = (event: StepEvent, kind: Message<unknown>['kind']): Loose | undefined =>
  event.input.type === 'message' && event.input.message.kind === kind ? (event.input.message as unknown as Loose) : undefined;

/** The first message of a kind that the step lets out, changed; in the queue where it is or in the other one. */
export function sending(
  event: StepEvent,
  fits: (message: Loose) => boolean,
  change: (message: Loose) => Loose,
  queue?: 'send' | 'sendAfterWrite',
): Event | undefined {
  const { send, sendAfterWrite } = event.effects;
  const found = [...send, ...sendAfterWrite].find((message) => fits(message as unknown as Loose));
  if (found === undefined) return undefined;
  const changed = change(found as unknown as Loose) as unknown as OutgoingMessage;
  const put = (list: readonly OutgoingMessage[], isHere: boolean): OutgoingMessage[] => [
    ...list.filter((message) => message !== found),
    ...(isHere ? [changed] : []),
  ];
  const target = queue ?? (send.includes(found) ? 'send' : 'sendAfterWrite');
  return withEffects(event, { send: put(send, target === 'send'), sendAfterWrite: put(sendAfterWrite, target === 'sendAfterWrite') });
}

export const isGrant = (message: Loose): boolean =>
  message['kind'] === 'vote-response' && message['preVote'] === false && message['reject'] === false;
export const isKind =
  (kind: string) =>
  (message: Loose): boolean =>
    message['kind'] === kind;
export const isAck = (message: Loose): boolean => message['kind'] === 'append-response' && message['reject'] === false;
export const more = (message: Loose, field: string, by = 1): Loose => ({ ...message, [field]: (message[field] as number) + by });

export const firstEntry = (event: StepEvent) => event.effects.write?.entries[0];

export function withEntries(event: StepEvent, change: (entry: Loose, position: number) => Loose): Event {
  const { write } = event.effects;
  return withEffects(event, { write: { ...write, entries: write!.entries.map((entry, i) => change(entry as unknown as Loose, i)) } });
}

export const appendsAsLeader = (event: StepEvent): boolean =>
  event.status.role === 'leader' && event.input.type === 'propose' && firstEntry(event) !== undefined;
export const appendsAsFollower = (event: StepEvent): boolean =>
  received(event, 'append-request') !== undefined && firstEntry(event) !== undefined;
export const becomesLeader = (event: StepEvent, before: StepEvent['status']): boolean =>
  event.status.role === 'leader' && before.role !== 'leader';
export const changesMembership = (event: StepEvent) =>
  event.status.role === 'leader' ? event.effects.write?.entries.find((entry) => entry.kind === 'membership') : undefined;

export const when = (fits: boolean, change: () => Event | undefined): Event | undefined => (fits ? change() : undefined);

/** What a change may need to know of the trace so far. */
export const nextToken = new Map<number, number>();
export const pendingMembership = new Set<number>();
/** First entry of the newest term that a node led. */
export const ownFirst = new Map<number, number>();

export function follow(event: Event): void {
  if (event.type === 'recovered') nextToken.set(event.node, 1);
  if (event.type !== 'step') return;
  if (event.effects.write !== undefined) nextToken.set(event.node, event.effects.write.token + 1);
  const { entries } = event.effects.write ?? { entries: [] };
  if (event.status.role !== 'leader') pendingIndex.delete(event.node);
  else if (entries[0]?.kind === 'noop') ownFirst.set(event.node, entries[0].index);
  const membership = entries.find((entry) => entry.kind === 'membership');
  if (membership !== undefined && event.status.role === 'leader' && membership.index > event.status.commit)
    pendingIndex.set(event.node, membership.index);
  const index = pendingIndex.get(event.node);
  if (index !== undefined && event.status.role === 'leader' && event.status.commit < index) pendingMembership.add(event.node);
  else pendingMembership.delete(event.node);
}

const pendingIndex = new Map<number, number>();
