/** Joins what the nodes tell with the checks and the trace of a run. */
import type { BrokerEvent } from '@balsa/node/broker/observer.ts';
import { type TraceEvent, traceObserver } from '@balsa/node/host/trace.ts';
import { createRaftSpec } from '../../spec/raft-spec.ts';
import { SpecViolation } from '../../spec/violation.ts';
import { SimFailure } from '../checks/sim-failure.ts';
import { isExcused, kill, start } from '../nemesis/lifecycle.ts';
import { exitNameOf } from '@balsa/node/assembly/exit-code.ts';
import type { NodeWatch } from '../world/sim-node.ts';
import type { RunState } from './run-state.ts';

/** After which a process manager starts a process again that ended itself. */
const restartMs = 1000;

/** The run exists only after the world that it watches. */
export function createWatch(run: () => RunState): NodeWatch {
  const spec = createRaftSpec();
  /** A violation ends the run by whatever way it was found: a caller may take it for a failed request. */
  const holdToSpec = (event: TraceEvent<Uint8Array>): void => {
    try {
      spec.observe(event);
    } catch (error) {
      run().failure ??= error instanceof SpecViolation ? new SimFailure(`specification: ${error.rule}`, error.message) : error;
      throw error;
    }
  };
  /** Whoever opened the group takes a violation for a failure of its own, and tries again. */
  const onOpened: NodeWatch['onOpened'] = (node, status) => {
    try {
      run().checks.onOpened(node, status);
    } catch (error) {
      run().failure ??= error;
      throw error;
    }
  };
  const note = (what: string, facts?: string): void => run().note(what, facts);
  return {
    host: (node) => {
      const traced = traceObserver(node.id, holdToSpec);
      return {
        ...traced,
        onDropped: (what) => note(`dropped-${what}`),
        onSnapshot: (what) => note(`snapshot-${what}`),
        onRepair: (event) => {
          traced.onRepair?.(event);
          note(`repair-${event.type}`, `${node.id} ${JSON.stringify(event)}`);
        },
        onScrubbed: () => note('scrubbed'),
      };
    },
    group: (node, spec) => run().chain.watch(node.id, spec),
    onOpened,
    onLeaderChange: (node, change) => {
      note(`role-${change.role}`, `${node.id} ${change.group} ${change.term} ${change.leader}`);
      run().checks.onLeaderChange(node.id, change);
    },
    onJournalEvent: (node, event) => {
      if (event.type !== 'synced') note(`journal-${event.type}`, `${node.id} ${JSON.stringify(event)}`);
    },
    onBrokerEvent: (node, event: BrokerEvent) => note(`broker-${event.kind}`, `${node.id} ${factsOf(event)}`),
    onUnexpected: (node, error) => {
      run().failure ??= new SimFailure(
        'no unexpected failure of a request',
        `node ${node.id}: ${error instanceof Error ? error.stack : String(error)}`,
      );
    },
    onFatal: (node, error) => {
      const exit = exitNameOf(error);
      note(`exit-${exit}`, String(node.id));
      try {
        run().checks.onFatal(node, error, isExcused(run(), node, exit));
      } catch (failure) {
        run().failure ??= failure;
      }
      kill(run(), node);
      run().world.clock.after(restartMs, () => start(run(), node));
    },
  };
}

const factsOf = (event: BrokerEvent): string =>
  JSON.stringify(event, (_name, value: unknown) => (value instanceof Error ? value.message : value));
