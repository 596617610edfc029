/**
 * Appends a batch: check, propose, translate the outcome.
 *
 * What is durable before the reply leaves is decided by `acks` and executed by the host:
 * 'quorum' is answered from the outcome of the applied command, so after a majority has
 * fsynced it; 'leader' after the leader's own fsync; 'none' when it is in the leader's
 * memory. The last two cannot know the offset, which is assigned at apply.
 *
 * Bound: the batches of all unanswered requests stay below produceBytesInflightMax; what
 * does not fit is refused as OVERLOADED before anything is kept.
 */
import type { PartitionOutcome } from '../core/machines/partition/outcome.ts';
import { encodeAppend } from '../core/machines/partition/command.ts';
import { nextStampMs } from '../core/machines/partition/state.ts';
import type { GroupId, Offset } from '../core/ids.ts';
import type { Durability, ProposalResult } from '../host/vocabulary.ts';
import { checkBatch } from './batch-check.ts';
import { BrokerError, brokerError, viaHost } from './broker-error.ts';
import type { BrokerState } from './broker-state.ts';
import { giveBack, tryTake } from './byte-budget.ts';
import { ledPartition, timeLimitMs } from './leadership.ts';

export interface ProduceInput {
  readonly topic: string;
  readonly partition: number;
  readonly acks: Durability;
  /** 0: the broker's default. */
  readonly timeoutMs: number;
  readonly batch: Uint8Array;
}

export interface Produced extends Omit<ProposalResult, 'outcome'> {
  /** Whose log it is: the next topic of the same name has another. */
  readonly group: GroupId;
  /** Offset of the first record; undefined unless acks is 'quorum'. */
  readonly baseOffset: Offset | undefined;
  /** The batch had been accepted before. */
  readonly duplicate: boolean;
}

/** Rejects with BrokerError. */
export async function produce(broker: BrokerState, input: ProduceInput): Promise<Produced> {
  const startedMs = broker.clock.monotonicMs();
  const { group, replica, settings, subject } = ledPartition(broker, input.topic, input.partition);
  const { recordCount } = checkBatch(input.batch, settings, subject);
  const bytes = input.batch.length;
  if (!tryTake(broker.produceBudget, bytes)) {
    throw brokerError(
      'OVERLOADED',
      `The limit limits.produceBytesInflightMax (${broker.produceBudget.bytesMax}) of this broker is reached.`,
    );
  }
  try {
    const payload = encodeAppend({ stampMs: nextStampMs(replica.state, broker.clock.wallMs()), batch: input.batch });
    const options = { durability: input.acks, timeoutMs: timeLimitMs(broker, input.timeoutMs) };
    const produced = toProduced(group, await viaHost(subject, broker.host.propose(group, payload, options)));
    broker.observer.onProduced(bytes, recordCount, broker.clock.monotonicMs() - startedMs);
    return produced;
  } finally {
    giveBack(broker.produceBudget, bytes);
  }
}

function toProduced(group: GroupId, { outcome, ...receipt }: ProposalResult): Produced {
  if (outcome === undefined) return { ...receipt, group, baseOffset: undefined, duplicate: false };
  const said = outcome as PartitionOutcome;
  if (said.kind === 'refused') throw new BrokerError(said.code, said.message);
  if (said.kind !== 'appended') throw brokerError('INTERNAL', 'The log answered an append with something else.');
  return { ...receipt, group, baseOffset: said.baseOffset, duplicate: said.duplicate };
}
