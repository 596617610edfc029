/**
 * One step of a replica: `before` and the input are known, effects and the status after
 * are what the code under test says. A rule file looks at each part of them.
 */
import type { Input } from '@balsa/node/core/raft/input.ts';
import type { Message, OutgoingMessage } from '@balsa/node/core/raft/message.ts';
import type { Membership } from '@balsa/node/core/raft/membership.ts';
import type { Event, Group, Replica } from './model.ts';

export type StepEvent = Extract<Event, { type: 'step' }>;

export interface Step {
  readonly group: Group;
  /** In the state after what the rules have taken so far. */
  readonly replica: Replica;
  readonly before: {
    readonly term: number;
    readonly vote: number;
    readonly role: string;
    readonly commit: number;
    readonly last: number;
    readonly membership: Membership;
  };
  readonly input: Input<unknown>;
  /** The message of the input, if it is one. */
  readonly message: Message<unknown> | undefined;
  readonly effects: StepEvent['effects'];
  readonly status: StepEvent['status'];
  /** The replica speaks for its term in this step: it leads, or led until something in this step ended that. */
  readonly leads: boolean;
  readonly becameLeader: boolean;
}

export function openStep(group: Group, replica: Replica, { input, effects, status }: StepEvent): Step {
  const { term, vote, role, commit, log, memberships } = replica;
  const isSameTerm = (status.term as number) === term;
  const led = role === 'leader' && isSameTerm;
  return {
    group,
    replica,
    before: { term, vote, role, commit, last: log.last, membership: memberships.at(-1)!.membership },
    input,
    message: input.type === 'message' ? input.message : undefined,
    effects,
    status,
    leads: led || status.role === 'leader',
    becameLeader: status.role === 'leader' && !led,
  };
}

/** Every message of the step, and whether it waits for the step's write. */
export function* messagesOf({ effects }: Step): Iterable<{ readonly message: OutgoingMessage; readonly waits: boolean }> {
  for (const message of effects.send) yield { message, waits: false };
  for (const message of effects.sendAfterWrite) yield { message, waits: true };
}
