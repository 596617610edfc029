/**
 * The safety invariants of replication, judged from outside on everything that
 * happens. They use the stores and the events only, never what a core believes,
 * except for the marks that it publishes.
 */
import type { Cluster } from '../cluster.ts';
import type { Happening } from '../happening.ts';
import { checkApplied, checkCommit, checkMarks, checkSnapshot } from './commit.ts';
import { checkLeader, checkVote, checkVoteRequest } from './election.ts';
import { createLedger, expectThat, type Ledger } from './ledger.ts';
import { checkRead, noteRead } from './read.ts';
import { checkAcknowledgement, checkEntries, checkWrite } from './log.ts';

export type SafetyCheck = Ledger;

export const createSafetyCheck = (cluster: Cluster): SafetyCheck => createLedger(cluster);

/** Takes the log that a node starts with for granted, and remembers it. */
export function admit(check: SafetyCheck, node: Parameters<Cluster['replicas']['get']>[0]): void {
  const { durable } = check.cluster.replicas.get(node)!.store;
  checkEntries(check, durable, durable.entries);
  checkSnapshot(check, node, durable.snapshot);
  checkMarks(check, node);
}

export function judge(check: SafetyCheck, happening: Happening): void {
  switch (happening.type) {
    case 'role':
      return checkLeader(check, happening);
    case 'write':
      return checkWrite(check, happening);
    case 'sent':
      checkVote(check, happening.message);
      checkVoteRequest(check, happening.message);
      return checkAcknowledgement(check, happening.message);
    case 'committed':
      return checkCommit(check, happening);
    case 'applied':
      return checkApplied(check, happening);
    case 'asked':
      return noteRead(check, happening);
    case 'read':
      return checkRead(check, happening);
    case 'installed':
      return checkSnapshot(check, happening.node, happening.snapshot);
    case 'stepped':
      return checkMarks(check, happening.node);
    case 'crashed':
      check.nodes.delete(happening.node);
      return;
    case 'restarted':
      return checkMarks(check, happening.node);
    case 'broken':
      return expectThat(check, false, 'I-L6', `${happening.node} stops: ${happening.reason}`);
    default:
      return;
  }
}
