/**
 * What was sent, by content: a receiver may get it never, once or often, and late. What
 * waits for a write of its sender counts as sent once that write is done: because the
 * sender says so, or (unless strict) because somebody got it, which proves the same.
 */
import type { Message, OutgoingMessage } from '@balsa/node/core/raft/message.ts';
import { advanceDisk } from './disk.ts';
import { lastTermOf, termAt } from './log.ts';
import { type Group, isCommitted, type Link, type Replica } from './model.ts';
import { must } from './violation.ts';

/** Messages remembered per direction between two nodes; older ones are believed. */
const sentMax = 20_000;

type Any = Message<unknown>;

function linkOf(group: Group, { from, to }: { readonly from: number; readonly to: number }): Link {
  const name = `${from}>${to}`;
  const known = group.links.get(name);
  if (known !== undefined) return known;
  const link: Link = { sent: new Map(), forgottenTerm: 0 };
  group.links.set(name, link);
  return link;
}

/** Content of a message; of an append request the range and the term at its end, which name its entries. */
function keyOf(message: Exclude<Any | OutgoingMessage, { kind: 'append-request' | 'snapshot-request' }>): string {
  const { kind, term } = message;
  switch (kind) {
    case 'vote-request':
      return `${kind} ${term} ${message.index} ${message.indexTerm} ${message.preVote} ${message.transfer}`;
    case 'vote-response':
      return `${kind} ${term} ${message.preVote} ${message.reject}`;
    case 'append-response':
      return `${kind} ${term} ${message.reject} ${message.index} ${message.hintIndex} ${message.hintTerm}`;
    case 'heartbeat-request':
      return `${kind} ${term} ${message.commit} ${message.readRound}`;
    case 'heartbeat-response':
      return `${kind} ${term} ${message.readRound}`;
    case 'snapshot-response':
      return `${kind} ${term} ${message.index} ${message.reject}`;
    case 'timeout-now':
      return `${kind} ${term}`;
  }
}

const appendKey = (head: { term: number; index: number; indexTerm: number; commit: number }, last: number, lastTerm: number): string =>
  `append-request ${head.term} ${head.index} ${head.indexTerm} ${head.commit} ${last} ${lastTerm}`;

function sentKey(sender: Replica, message: OutgoingMessage): string {
  if (message.kind === 'append-request') {
    const { last } = message.entries;
    return appendKey(message, last, termAt(sender.log, last) ?? lastTermOf(sender.log));
  }
  if (message.kind === 'snapshot-request') return `${message.kind} ${message.term}`;
  return keyOf(message);
}

function receivedKey(message: Any): string {
  if (message.kind === 'append-request') {
    const newest = message.entries.at(-1);
    return appendKey(message, newest?.index ?? message.index, newest?.term ?? message.indexTerm);
  }
  if (message.kind === 'snapshot-request') return `${message.kind} ${message.term}`;
  return keyOf(message);
}

/** `token`: the write that it waits for; undefined if it leaves at once. */
export function noteSent(group: Group, sender: Replica, message: OutgoingMessage, token: number | undefined): void {
  const link = linkOf(group, message);
  const key = sentKey(sender, message);
  const known = link.sent.get(key);
  const held = known === 'released' ? undefined : known;
  // Of the same life the first write is the one that lets it out; an earlier life did so or never will.
  const isSooner = held?.boot === sender.boot;
  const isOut = token === undefined || known === 'released' || (held !== undefined && !isSooner && isReleased(group, sender, held));
  link.sent.delete(key);
  link.sent.set(key, isOut ? 'released' : isSooner ? held : { boot: sender.boot, token });
  if (link.sent.size > sentMax) forgetOldest(link);
}

function forgetOldest(link: Link): void {
  const [oldest] = link.sent.keys();
  link.sent.delete(oldest!);
  link.forgottenTerm = Math.max(link.forgottenTerm, Number(oldest!.split(' ')[1]));
}

function isReleased(group: Group, sender: Replica, { boot, token }: { readonly boot: number; readonly token: number }): boolean {
  if (boot !== sender.boot) return token <= (sender.released.get(boot) ?? 0);
  return token <= (group.strict ? sender.reported : sender.ordered);
}

/** Whether the message may arrive now. */
export function wasSent(group: Group, message: Any): boolean {
  const link = linkOf(group, message);
  const state = link.sent.get(receivedKey(message));
  if (state === undefined) return message.term <= link.forgottenTerm;
  return state === 'released' || isReleased(group, group.replicas.get(message.from)!, state);
}

/** Takes the arrival of a message, which proves that it was allowed to leave. */
export function checkReceived(group: Group, message: Any): void {
  const link = linkOf(group, message);
  const key = receivedKey(message);
  const state = link.sent.get(key);
  must(state !== undefined || message.term <= link.forgottenTerm, 'message-sent', () => ({ message: key }));
  if (message.kind === 'append-request') checkEntries(message);
  if (message.kind === 'snapshot-request') checkSnapshot(group, message);
  if (state === undefined || state === 'released') return;
  const sender = group.replicas.get(message.from)!;
  must(isReleased(group, sender, state), 'sent-before-durable', () => ({ message: key, waitsFor: state, reported: sender.reported }));
  if (state.boot === sender.boot) advanceDisk(sender, state.token);
  link.sent.set(key, 'released');
}

function checkEntries({ index, entries }: Extract<Any, { kind: 'append-request' }>): void {
  must(
    entries.every((entry, place) => entry.index === index + 1 + place),
    'message-sent',
    () => ({ index, entries: entries.map((entry) => entry.index) }),
  );
}

/** The sender may have compacted further meanwhile: then it sends the snapshot that it has. */
function checkSnapshot(group: Group, { snapshot }: Extract<Any, { kind: 'snapshot-request' }>): void {
  const { index, term } = snapshot;
  must(index <= group.committedLast && isCommitted(group, index, term), 'snapshot-committed', () => ({ index, term }));
}
