/** What all commands have in common. Commands hold no state: a run may use those of another. */
import type fc from 'fast-check';
import { type Model, placeName, type Place } from './model.ts';
import { type Real, throwFailure } from './real.ts';

export type ModelCommand = fc.AsyncCommand<Model, Real>;

export interface CommandParts {
  /** As code would read, for the counterexample. */
  readonly name: string;
  readonly check?: (model: Readonly<Model>) => boolean;
  readonly run: (model: Model, real: Real) => Promise<void> | void;
}

export function command({ name, check, run }: CommandParts): ModelCommand {
  return {
    check: (model) => check?.(model) ?? true,
    run: async (model, real) => {
      real.run.note('command', name);
      await run(model, real);
      // What the command caused at once belongs to it.
      await real.clock.advance(0);
      throwFailure(real);
    },
    toString: () => name,
  };
}

/** A fault, or the end of one. */
export const disturbance = (parts: CommandParts): ModelCommand =>
  command({
    ...parts,
    run: async (model, real) => {
      await parts.run(model, real);
      model.disturbedMs = real.clock.monotonicMs();
    },
  });

export const logAt = (model: Readonly<Model>, place: Place) => model.logs.get(placeName(place));
