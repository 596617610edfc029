/**
 * What the replicas of the world apply, compared with each other at every step: there is one
 * sequence of commands per group, and one state after each of them.
 *
 *  - I-R4: a command that any replica applies at an index is what all others apply there.
 *  - I-R8: equal applied index, equal state; also after a snapshot or a restart (I-R10).
 *  - Within one life of a machine indexes rise (no command twice, none behind a later one).
 */
import type { AppliedCommand } from '@balsa/node/core/machines/machine.ts';
import type { GroupSpec, HostedMachine } from '@balsa/node/host/vocabulary.ts';
import { checksum } from '@balsa/node/storage/journal/checksum.ts';
import { require } from './sim-failure.ts';

export interface CommitChain {
  /** A machine of `node` that is watched. */
  readonly watch: (node: number, spec: GroupSpec) => GroupSpec;
  /** What stands at an index (term and checksum), if anybody applied it. */
  readonly at: (group: string, index: number) => string | undefined;
  readonly applied: () => number;
}

interface Chain {
  readonly commands: Map<number, { readonly print: string; readonly by: number }>;
  readonly states: Map<number, { readonly hash: number; readonly by: number }>;
}

export const groupName = ({ group, generation }: { readonly group: number; readonly generation: number }): string =>
  `${group}.${generation}`;
export const printOf = (term: number, payload: Uint8Array): string => `${term}:${checksum(payload)}`;

export function createCommitChain(onApplied: (node: number, group: string, index: number, print: string) => void): CommitChain {
  const chains = new Map<string, Chain>();
  let applied = 0;
  const chainOf = (group: string): Chain => {
    const known = chains.get(group) ?? { commands: new Map(), states: new Map() };
    chains.set(group, known);
    return known;
  };
  const note = (node: number, group: string, { index, term, payload }: AppliedCommand): void => {
    const { commands } = chainOf(group);
    const print = printOf(term, payload);
    const known = commands.get(index);
    require(known === undefined || known.print === print, 'I-R4 one sequence of commands', () => ({ group, index, node, print, known }));
    if (known === undefined) commands.set(index, { print, by: node });
    applied += 1;
    onApplied(node, group, index, print);
  };
  const compare = (node: number, group: string, index: number, machine: HostedMachine): void => {
    const { states } = chainOf(group);
    const hash = checksum(machine.encode());
    const known = states.get(index);
    require(known === undefined || known.hash === hash, 'I-R8 equal states', () => ({ group, index, node, hash, known }));
    if (known === undefined) states.set(index, { hash, by: node });
  };
  return {
    watch: (node, spec) => ({
      ...spec,
      machine: watchMachine(
        spec,
        (commands) => commands.forEach((command) => note(node, groupName(spec), command)),
        (index) => compare(node, groupName(spec), index, spec.machine),
      ),
    }),
    at: (group, index) => chains.get(group)?.commands.get(index)?.print,
    applied: () => applied,
  };
}

/** Every so many calls of apply the state is compared: encoding a state is the dearest check. */
const compareEvery = 4;

function watchMachine(
  spec: GroupSpec,
  onCommands: (commands: readonly AppliedCommand[]) => void,
  onState: (index: number) => void,
): HostedMachine {
  const { machine } = spec;
  let last = 0;
  return {
    ...machine,
    apply: (commands) => {
      for (const { index } of commands) {
        require(index > last, 'commands are applied once and in order', () => ({ group: groupName(spec), index, last }));
        last = index;
      }
      onCommands(commands);
      const outcomes = machine.apply(commands);
      if (last % compareEvery === 0) onState(last);
      return outcomes;
    },
    restore: (state) => {
      last = 0;
      machine.restore(state);
    },
  };
}
