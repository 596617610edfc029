/** All mutants, and the rows of the bug catalogue (B1..B26) that cannot have one yet. */
import type { Mutant, NotApplicable } from '../patch.ts';
import { clientMutants } from './client.ts';
import { hostMutants } from './host.ts';
import { machineMutants } from './machines.ts';
import { membershipMutants } from './membership.ts';
import { raftMutants } from './raft.ts';
import { storageMutants } from './storage.ts';

export const mutants: readonly Mutant[] = [
  ...raftMutants,
  ...membershipMutants,
  ...storageMutants,
  ...machineMutants,
  ...hostMutants,
  ...clientMutants,
];

export const bugRows: readonly string[] = Array.from({ length: 26 }, (_, i) => `B${i + 1}`);

export const notApplicable: readonly NotApplicable[] = [
  {
    row: 'B25',
    reason: 'there are no consumer groups yet: no coordinator, no offset commits, nothing to fence',
    until: ['node/src/core/machines/group', 'node/src/core/machines/coordinator', 'client/src/consumer/group.ts', 'client/src/group'],
  },
];

export function mutantOf(id: string): Mutant {
  const mutant = mutants.find((each) => each.id === id);
  if (mutant === undefined) throw new Error(`no mutant ${id}; there are ${mutants.map((each) => each.id).join(', ')}`);
  return mutant;
}
