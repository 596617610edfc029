/** What the steps of a scenario ask of a cluster. Pure. */
import type { Step } from '../scenario/step.ts';
import { catalogue } from './catalogue.ts';
import type { Need } from './fault.ts';

/** What a cluster must offer for these steps. Names that are not in the catalogue need nothing. */
export function neededBy(steps: readonly Step[]): ReadonlySet<Need> {
  return new Set(faultsOf(steps).flatMap((name) => catalogue.get(name)?.needs ?? []));
}

/** Names of the faults in the steps, in order. */
export function faultsOf(steps: readonly Step[]): readonly string[] {
  return steps.flatMap((step) => {
    if ('together' in step) return faultsOf(step.together);
    if ('strike' in step) return [step.strike];
    return 'begin' in step ? [step.fault] : [];
  });
}
