/** Failpoints around what the host does with its groups' machines and members. */
import type { RunningHost } from '../host/host.ts';
import type { HostObserver } from '../host/options.ts';
import type { StepEvent } from '../host/trace.ts';
import type { HostedMachine } from '../host/vocabulary.ts';
import type { Failpoints } from './failpoints.ts';

/** Machines of groups that are opened from here on have failpoints. */
export function faultyHost(host: RunningHost, points: Failpoints): RunningHost {
  return { ...host, open: (spec) => host.open({ ...spec, machine: faultyMachine(spec.machine, points) }) };
}

function faultyMachine(machine: HostedMachine, points: Failpoints): HostedMachine {
  return {
    apply: (commands) => {
      points.pass('machine.before-apply');
      const outcomes = machine.apply(commands);
      points.pass('machine.after-apply');
      return outcomes;
    },
    restore: (state) => {
      points.pass('machine.before-restore');
      machine.restore(state);
      points.pass('machine.after-restore');
    },
    encode: () => machine.encode(),
    mark: () => machine.mark(),
    takeRows: () => machine.takeRows(),
    mayStartAt: (checkpoints) => machine.mayStartAt(checkpoints),
  };
}

/** Steps are told before any of their effects is executed. */
export function faultyObserver(observer: HostObserver, points: Failpoints): HostObserver {
  /** Index of the newest change of members that is not known to be committed, by group. */
  const changing = new Map<number, number>();
  const note = ({ group, effects }: StepEvent<Uint8Array>): void => {
    const change = effects.write?.entries.findLast(({ kind }) => kind === 'membership');
    if (change !== undefined) {
      changing.set(group, change.index);
      points.pass('membership.before-write');
    }
    const index = changing.get(group);
    if (index === undefined || effects.committed === undefined || effects.committed.last < index) return;
    changing.delete(group);
    points.pass('membership.after-commit');
  };
  return {
    ...observer,
    onStep: (event) => {
      observer.onStep?.(event);
      note(event);
    },
  };
}
