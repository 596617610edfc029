/** Unary calls that the leader of a partition must answer. */
import { DataServiceService, type OffsetPosition } from '@balsa/proto/client';
import { BalsaError } from '../errors.ts';
import { accepted, callBroker, withRetries } from './broker-call.ts';
import type { CallScope } from './call-scope.ts';
import { type Leader, leaderOf } from './cluster-view.ts';
import type { ClientContext } from './context.ts';
import { findLeader, learnFromFailure, tryRefresh } from './metadata.ts';

/** Runs `attempt` at the partition's leader, following it when it moves. */
export function atLeader<Result>(
  context: ClientContext,
  topic: string,
  partition: number,
  scope: CallScope,
  attempt: (leader: Leader) => Promise<Result>,
): Promise<Result> {
  let asked: Leader | undefined;
  const run = async () => {
    asked = undefined;
    asked = await findLeader(context, topic, partition, scope);
    return await unlessMoved(context, topic, partition, asked, attempt(asked));
  };
  const onFailure = async (error: BalsaError) => {
    const isElsewhere = asked !== undefined && learnFromFailure(context, topic, partition, asked, error);
    if (!isElsewhere) await tryRefresh(context);
    return isElsewhere;
  };
  // A broker may not have heard yet of a topic that the metadata lists.
  const isRetriable = (error: BalsaError) =>
    error.retriable || (isUnknownPlace(error) && asked !== undefined && isListed(context, topic, partition));
  return withRetries(context, scope, run, { onFailure, isRetriable });
}

/** `work` at a leader, unless another one of a newer term becomes known first: the old one may never answer. */
function unlessMoved<Result>(
  context: ClientContext,
  topic: string,
  partition: number,
  asked: Leader,
  work: Promise<Result>,
): Promise<Result> {
  const { onViewChanged, view } = context;
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const now = leaderOf(view, topic, partition);
      if (now === undefined || now.nodeId === asked.nodeId || now.term <= asked.term) return;
      const { nodeId, term } = now;
      reject(
        new BalsaError('LEADER_CHANGED', {
          detail: `${asked.address} has not answered, and leads no more.`,
          topic,
          partition,
          leader: { nodeId, term },
        }),
      );
    };
    onViewChanged.add(look);
    void work.then(resolve, reject).finally(() => onViewChanged.delete(look));
  });
}

function isUnknownPlace(error: BalsaError): boolean {
  return error.code === 'UNKNOWN_TOPIC' || error.code === 'UNKNOWN_PARTITION';
}

function isListed(context: ClientContext, topic: string, partition: number): boolean {
  return context.view.topics.get(topic)?.[partition] !== undefined;
}

/** The offset (inclusive) that the leader finds, confirmed by a majority. */
export function listOffset(
  context: ClientContext,
  place: { readonly topic: string; readonly partition: number },
  position: OffsetPosition,
  scope: CallScope,
  timeMs = 0,
): Promise<number> {
  const { topic, partition } = place;
  return atLeader(context, topic, partition, scope, async (leader) => {
    const message = { topic, partition, position, timeMs };
    return accepted(await callBroker(context, leader.address, DataServiceService.listOffsets, message, scope), place).offset;
  });
}
