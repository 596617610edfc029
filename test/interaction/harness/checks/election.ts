/** I-R1 one leader per term, I-R3 leader completeness, I-R6 one durable vote per term, the own one included. */
import type { NodeId } from '@balsa/node/core/ids.ts';
import type { Happening } from '../happening.ts';
import { lastIndexOf, termAt } from '../log-store.ts';
import type { Sent } from '../network.ts';
import { expectThat, type Ledger, sameAsBefore } from './ledger.ts';

export function checkLeader(ledger: Ledger, { node, role, term }: Happening & { type: 'role' }): void {
  if (role !== 'leader') return;
  const first = sameAsBefore(ledger.leaderOfTerm, term, node);
  expectThat(ledger, first === node, 'I-R1', `term ${term} has two leaders, ${first} and ${node}`);
  const { hardState } = ledger.cluster.replicas.get(node)!.store.durable;
  const hasOwnVote = hardState.term === term && hardState.votedFor === node;
  expectThat(ledger, hasOwnVote, 'I-R6', `${node} leads term ${term} before its own vote is on disk`);
  checkCompleteness(ledger, node, term);
}

/** A leader holds every entry that was committed in an earlier term. */
function checkCompleteness(ledger: Ledger, node: NodeId, term: number): void {
  const { view } = ledger.cluster.replicas.get(node)!.store;
  for (const [index, { entry, decidedIn }] of ledger.committed) {
    if (decidedIn >= term || index <= view.snapshot.index) continue;
    const found = termAt(view, index);
    const says = `leader ${node} of term ${term} lacks committed ${index}@${entry.term} (last ${lastIndexOf(view)})`;
    expectThat(ledger, found === entry.term, 'I-R3', says);
  }
}

/** A granted vote is on disk before it leaves, and no term sees two of them from one node. */
export function checkVote(ledger: Ledger, message: Sent): void {
  if (message.kind !== 'vote-response' || message.preVote || message.reject) return;
  const first = sameAsBefore(ledger.votes, `${message.from}@${message.term}`, message.to);
  expectThat(ledger, first === message.to, 'I-R6', `${message.from} votes for ${first} and ${message.to} in term ${message.term}`);
  const { hardState } = ledger.cluster.replicas.get(message.from)!.store.durable;
  const durable = hardState.term > message.term || (hardState.term === message.term && hardState.votedFor === message.to);
  expectThat(ledger, durable, 'I-R6', `${message.from} grants ${message.to} term ${message.term} before the vote is on disk`);
}

/** A request for votes speaks of a term and a log that a crash cannot take back. */
export function checkVoteRequest(ledger: Ledger, message: Sent): void {
  if (message.kind !== 'vote-request' || message.preVote) return;
  const { durable } = ledger.cluster.replicas.get(message.from)!.store;
  const lasts = durable.hardState.term >= message.term && lastIndexOf(durable) >= message.index;
  expectThat(ledger, lasts, 'I-R6', `${message.from} asks for votes in term ${message.term} with what is not on disk`);
}
