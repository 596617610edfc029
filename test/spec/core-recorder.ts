/**
 * Stands between a simulated group and the core, and tells of every start and step as a
 * host does. A test file that imports a simulation puts it there with
 *
 *     vi.mock('@balsa/node/core/raft/step.ts', async (original) => (await import('./core-recorder.ts')).recordSteps(original as never));
 *     vi.mock('@balsa/node/core/raft/state.ts', async (original) => (await import('./core-recorder.ts')).recordStarts(original as never));
 */
import { asGroupId } from '@balsa/node/core/ids.ts';
import type * as stateModule from '@balsa/node/core/raft/state.ts';
import type * as stepModule from '@balsa/node/core/raft/step.ts';
import { recoveredEvent, stepEvent } from '@balsa/node/host/trace.ts';
import type { Event } from './raft-spec.ts';

const key = { group: asGroupId(1), generation: 1 };

const listeners: ((event: Event) => void)[] = [];

/** Everything that happens from now on goes to `listener`, in place of an earlier one. */
export function listen(listener: (event: Event) => void): void {
  listeners.splice(0, listeners.length, listener);
}

const tell = (event: Event): void => listeners.forEach((listener) => listener(event));

export async function recordSteps(original: () => Promise<typeof stepModule>): Promise<typeof stepModule> {
  const { step } = await original();
  return {
    step: (raft, input) => {
      const effects = step(raft, input);
      tell(stepEvent(key, raft, input, effects));
      return effects;
    },
  };
}

export async function recordStarts(original: () => Promise<typeof stateModule>): Promise<typeof stateModule> {
  const module = await original();
  return {
    ...module,
    createRaft: (config, boot) => {
      const { hardState, snapshot, applied } = boot;
      const entries = [...boot.entries].map((entry) => ('kind' in entry && entry.kind === 'membership' ? entry : { ...entry }));
      tell(recoveredEvent(key, config.self, { hardState, snapshot, applied, entries }));
      return module.createRaft(config, boot);
    },
  };
}
