/**
 * The rules of the specification by name, each with the place that it comes from, and
 * the error that says which one a transition broke.
 */
const paper = (section: string): string => `Raft paper, ${section}`;
const dissertation = (section: string): string => `Raft dissertation, ${section}`;

export const rules = {
  'known-replica': 'a replica starts before it takes a step',
  'message-sent': `${paper('section 5')}: what is received was sent; loss, doubling and delay are allowed`,
  'sent-before-durable': `${paper('figure 2')}: updated on stable storage before responding`,
  'persisted-order': 'writes are reported once, in the order in which they were ordered',
  'write-token': 'every write has the next token, and what waits for the disk has a write',
  'term-monotonic': `${paper('section 5.1')}: terms never decrease`,
  'term-cause': `${paper('section 5.1')}: a term comes from a message, or is one more in order to campaign`,
  'message-term': `${paper('section 5.1')}: a message carries the term of its sender`,
  'vote-once': `${paper('section 5.2')}: at most one vote per term, given to who asked for it`,
  'vote-log-check': `${paper('section 5.4.1')}: no vote for a candidate whose log is less up to date`,
  'vote-durable': `${paper('figure 2')}: a vote is on disk before it is sent`,
  'hard-state-written': `${paper('figure 2')}: term and vote are persistent; the commit index is never ahead of the disk`,
  'pre-vote-changes-nothing': `${dissertation('section 9.6')}: a pre-vote changes neither term nor vote`,
  campaign: `${paper('section 5.2')}: a candidate votes for itself and asks with the end of its log`,
  'campaign-durable': `${paper('figure 2')}: a candidate's term, vote and log are on disk before it asks`,
  'transfer-cause': `${dissertation('section 3.10')}: only who was told by the leader campaigns out of turn`,
  'election-quorum': `${paper('section 5.2')}: a leader has votes of a majority (of each half: ${dissertation('section 4.3')})`,
  'one-leader-per-term': `${paper('figure 3')}: election safety`,
  'leader-completeness': `${paper('figure 3')}: a leader has every entry committed in earlier terms`,
  'leader-noop': `${dissertation('section 6.4')}: a leader begins with an entry of its own term`,
  'leader-only': `${paper('section 5.3')}: only the leader of a term speaks as one`,
  'leader-known': `${paper('section 5.2')}: a follower follows the one leader of its term`,
  'leader-append-only': `${paper('figure 3')}: a leader only appends, with its own term`,
  'entry-unique': `${paper('figure 3')}: an index and a term name one entry and everything before it (log matching)`,
  'append-consistency': `${paper('section 5.3')}: entries follow the entry that precedes them at the leader`,
  'append-content': `${paper('section 5.3')}: a follower appends what the leader sent, in order, without gaps`,
  'append-cause': `${paper('section 5.3')}: a follower's log changes only by what a leader sends`,
  'truncate-conflict': `${paper('section 5.3')}: entries are cut only where they conflict with the leader's`,
  'truncate-committed': `${paper('section 5.4')}: nothing committed is cut`,
  'append-request': `${paper('section 5.3')}: a leader sends what its log has`,
  'ack-matched': `${paper('section 5.3')}: an acknowledgement goes no further than what is known to equal the leader's log`,
  'ack-durable': `${paper('figure 2')}: what is acknowledged is on disk`,
  'commit-monotonic': `${paper('figure 2')}: the commit index increases monotonically`,
  'commit-in-log': `${paper('section 5.3')}: only what is in the log is committed`,
  'commit-current-term': `${paper('section 5.4.2')}: only entries of the leader's term commit by counting`,
  'commit-quorum': `${paper('section 5.3')}: committed is what a majority (of each half) has acknowledged`,
  'commit-durable': `${paper('section 5.3')}: committed is what a majority (of each half) has on disk`,
  'commit-follower': `${paper('figure 2')}: a follower commits up to min(leader's commit, last entry known to match)`,
  'commit-cause': `${paper('section 5.3')}: a follower learns of commits from its leader only`,
  'state-machine-safety': `${paper('figure 3')}: one entry is committed at each index`,
  'heartbeat-commit': `${paper('section 5.3')}: a heartbeat tells no commit beyond what the receiver is known to hold`,
  'apply-order': `${paper('section 5.3')}: committed entries are applied once and in order`,
  'apply-durable': 'nothing is applied that is not on the own disk',
  'membership-one-at-a-time': `${dissertation('section 4.1')}: a change begins when the one before it is committed`,
  'membership-own-term': `${dissertation('section 4.1')} as corrected in 2015: only after a commit of the leader's own term`,
  'membership-step': `${dissertation('section 4.3')}: one voter at a time, or through a joint membership`,
  'membership-follows-log': `${dissertation('section 4.1')}: the newest membership in the log is in force`,
  'snapshot-committed': `${paper('section 7')}: a snapshot sums up committed entries`,
  'snapshot-behind': `${paper('section 7')}: a snapshot replaces only what is behind it`,
  compaction: `${paper('section 7')}: only what is applied is compacted`,
  'read-floor': `${dissertation('section 6.4')}: a read sees every commit before it`,
  'read-quorum': `${dissertation('section 6.4')}: a quorum followed this leader after the read began`,
  'read-own-term': `${dissertation('section 6.4')}: reads wait for the leader's first commit`,
  'read-echo': `${dissertation('section 6.4')}: an echo answers a heartbeat`,
  'propose-answer': 'what is accepted is appended, what is refused has no effect',
  'status-log': 'the replica and its writes agree on the log',
  'durable-claim': 'nothing counts as durable before its write is reported',
  'recovered-state': `${paper('figure 2')}: what was on disk is there after a crash, and nothing that was not written`,
} as const;

export type Rule = keyof typeof rules;

/** A transition that the specification does not allow: a bug in the code, or in the specification. */
export class SpecViolation extends Error {
  override readonly name: string = 'SpecViolation';
  readonly rule: Rule;

  constructor(rule: Rule, facts: Readonly<Record<string, unknown>>, context: string) {
    super(`${rule} (${rules[rule]}): ${JSON.stringify(facts)}\n${context}`);
    this.rule = rule;
  }
}

/** Thrown where a rule is broken; the specification adds event and context. */
export class Broken extends Error {
  readonly rule: Rule;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(rule: Rule, facts: Readonly<Record<string, unknown>>) {
    super(rule);
    this.rule = rule;
    this.facts = facts;
  }
}

/** Facts come as values, so that a check that holds builds nothing but them. */
export function must(holds: boolean, rule: Rule, facts: () => Readonly<Record<string, unknown>>): asserts holds {
  if (!holds) throw new Broken(rule, facts());
}
