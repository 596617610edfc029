/** Failures on the wire: a code of the table always, the leader if it is known, never a stack. */
import type { Error as WireError } from '@balsa/proto/client';
import { errorTable } from '@balsa/proto/errors';
import { BrokerError } from '../../broker/broker-error.ts';
import type { EdgeObserver } from './edge-options.ts';

export function toWireError(error: unknown, observer: EdgeObserver): WireError {
  if (error instanceof BrokerError) {
    observer.onRefused(error.code);
    return { code: error.code, message: error.message, leaderNodeId: error.hint.leader, leaderTerm: error.hint.term };
  }
  observer.onRefused('INTERNAL');
  observer.onUnexpected(error);
  const { meaning, remedy } = errorTable.INTERNAL;
  return { code: 'INTERNAL', message: `${meaning} ${remedy}`, leaderNodeId: 0, leaderTerm: 0 };
}
