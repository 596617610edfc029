/** Bugs of membership changes and quorums in the consensus core. */
import type { Mutant } from '../patch.ts';
import { script, tests } from '../patch.ts';

const raft = 'node/src/core/raft';

export const membershipMutants: readonly Mutant[] = [
  {
    id: 'B1',
    row: 'B1',
    title: 'a new leader changes the membership before it has committed in its own term (the flaw of 2015)',
    file: `${raft}/step-leader.ts`,
    find: ' || isJoint(newest.membership) || !hasOwnCommit(state))',
    replace: ' || isJoint(newest.membership))',
    checks: [script('b01-single-change-across-terms'), tests('unit/raft/membership-change', 'before the leader has committed an entry')],
  },
  {
    id: 'B1b',
    row: 'B1',
    title: 'a second membership change starts while the group is still joint',
    file: `${raft}/step-leader.ts`,
    find: ' || isJoint(newest.membership) || !hasOwnCommit(state))',
    replace: ' || !hasOwnCommit(state))',
    checks: [tests('unit/raft/joint-change')],
  },
  {
    id: 'B2',
    row: 'B2',
    title: 'joint votes, reads and check-quorum ask for a majority of the union',
    file: `${raft}/quorum.ts`,
    find: 'return outgoing.length === 0 ? [voters] : [voters, outgoing];',
    replace: 'return [[...new Set([...voters, ...outgoing])]];',
    checks: [tests('unit/raft/election', 'a joint membership needs a majority of both halves'), script('b02-joint-needs-both-halves')],
  },
  {
    id: 'B2b',
    row: 'B2',
    title: 'joint commit counts a majority of the union',
    file: `${raft}/quorum.ts`,
    find: 'return asRaftIndex(Math.min(incoming, majorityIndex(membership.outgoing, reached)));',
    replace: 'return majorityIndex([...new Set([...membership.voters, ...membership.outgoing])], reached);',
    checks: [script('b02-joint-needs-both-halves'), tests('unit/raft/commit', 'a joint membership needs both halves')],
    bySimulation: {},
  },
  {
    id: 'B2c',
    row: 'B2',
    title: 'a leader that removes itself counts itself for the commit',
    file: `${raft}/own-log.ts`,
    find: 'quorumIndex(currentMembership(state), (node) => matchOf(leading, node));',
    replace:
      'quorumIndex({ ...currentMembership(state), voters: [...new Set([...currentMembership(state).voters, state.config.self])] }, (node) => (node === state.config.self ? state.durability.durable : matchOf(leading, node)));',
    checks: [tests('unit/raft/membership-change', 'does not count itself'), script('confchange-v1-remove-leader')],
  },
  {
    id: 'B3',
    row: 'B3',
    title: 'a membership stays in force when its entry is cut off',
    file: `${raft}/step-follower.ts`,
    find: '  truncateMemberships(state.memberships, last);\n',
    replace: '',
    checks: [script('ccf-retirement-rollback'), tests('unit/raft/membership-change', 'the membership follows the log')],
  },
  {
    id: 'B3b',
    row: 'B3',
    title: 'a membership is in force only when it is committed',
    file: `${raft}/state.ts`,
    find: '=> newestMembership(state.memberships).membership;',
    replace: '=> membershipInForce(state.memberships, state.commit) ?? newestMembership(state.memberships).membership;',
    checks: [script('b03-membership-follows-the-log'), tests('unit/raft/membership-change', 'in force as soon as it is appended')],
  },
  {
    id: 'B3c',
    row: 'B3',
    title: 'a snapshot brings its state but not its membership',
    file: `${raft}/step-follower.ts`,
    find: 'resetMemberships(state.memberships, index, membership);',
    replace: 'resetMemberships(state.memberships, index, state.memberships.records.at(-1)?.membership ?? membership);',
    checks: [tests('unit/raft/snapshot', 'replaces its log, and acknowledges'), script('b03-membership-follows-the-log')],
  },
  {
    id: 'B11b',
    row: 'B11',
    title: 'a voter of the outgoing half does not campaign: without it nobody may be able to lead',
    file: `${raft}/state.ts`,
    find: 'undecidedMemberships(state.memberships, state.commit).some((membership) => isVoter(membership, state.config.self));',
    replace: 'newestMembership(state.memberships).membership.voters.includes(state.config.self);',
    checks: [script('b12-removed-voter-must-campaign'), tests('unit/raft/election', 'a voter of the outgoing half')],
  },
];
