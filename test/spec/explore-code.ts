/**
 * A world as text, the same for worlds that differ only in which node is which: nodes are
 * equal at the start, so behaviour does not depend on their names. Timers and random
 * numbers are left out: in the explorer time-outs just happen.
 */
import type { Message, OutgoingMessage } from '@balsa/node/core/raft/message.ts';
import type { Image, SimNode } from '../property/raft-node.ts';
import type { Ghost, World } from './explore-world.ts';

/** names[id] is the new name of a node; the node without a name (0) stays. */
type Names = readonly number[];

const renamings: readonly Names[] = [
  [0, 1, 2, 3],
  [0, 1, 3, 2],
  [0, 2, 1, 3],
  [0, 2, 3, 1],
  [0, 3, 1, 2],
  [0, 3, 2, 1],
];

const imageCode = ({ entries }: Pick<Image, 'entries'>): string => entries.map(({ term, kind }) => `${term}${kind[0]}`).join('');

function messageCode(message: Message<string> | OutgoingMessage, names: Names): string {
  const head = `${message.kind}${names[message.from]}${names[message.to]}:${message.term}`;
  switch (message.kind) {
    case 'vote-request':
      return `${head}.${message.index}.${message.indexTerm}`;
    case 'vote-response':
      return `${head}.${message.reject}`;
    case 'append-request': {
      const { entries } = message;
      const content = 'first' in entries ? `${entries.first}-${entries.last}` : imageCode({ entries: [...entries] });
      return `${head}.${message.index}.${message.indexTerm}.${message.commit}.${content}`;
    }
    case 'append-response':
      return `${head}.${message.reject}.${message.index}.${message.hintIndex}.${message.hintTerm}`;
    case 'heartbeat-request':
      return `${head}.${message.commit}`;
    default:
      return head;
  }
}

function nodeCode({ raft, view, disk, pending, held }: SimNode, names: Names): string {
  const { term, votedFor, role, leader, commit, handed, votes, durability, leading } = raft!;
  const rename = (pairs: Iterable<readonly [number, unknown]>): string =>
    [...pairs]
      .map(([id, value]) => `${names[id]}${String(value)}`)
      .sort()
      .join();
  const writes = pending.map(({ token, entries, hardState }) => {
    const hard = hardState === undefined ? '' : `${hardState.term}.${names[hardState.votedFor]}.${hardState.commit}`;
    const waiting = held.filter((each) => each.token === token).map(({ message }) => messageCode(message, names));
    return `${entries[0]?.index ?? ''}${imageCode({ entries: [...entries] })}/${hard}/${waiting.join('&')}`;
  });
  const claims = durability.underWay.map(({ last }) => last).join();
  const progress = [...(leading?.progress ?? [])].map(([id, { state, match, next, paused, window, commitTold }]) => {
    const flight = window.messages.map(({ last }) => last).join('-');
    return [id, `${state[0]}${match}.${next}.${paused}.${flight}.${commitTold}`] as const;
  });
  return [
    `${term}.${names[votedFor]}.${role}.${names[leader]}.${commit}.${handed}.${durability.durable}`,
    imageCode(view),
    `${disk.hardState.term}.${names[disk.hardState.votedFor]}.${disk.hardState.commit}.${imageCode(disk)}`,
    writes.join('|'),
    claims,
    rename(votes),
    rename(progress),
  ].join(';');
}

/** Codes of parts as small numbers: there are far fewer different parts than worlds. */
const numbers = new Map<string, number>();

function numberOf(code: string): number {
  const known = numbers.get(code);
  if (known !== undefined) return known;
  numbers.set(code, numbers.size + 1);
  return numbers.size;
}

const nodeCodes = new WeakMap<SimNode, readonly number[]>();
const messageCodes = new WeakMap<Message<string>, readonly number[]>();
const ghostCodes = new WeakMap<Ghost, readonly number[]>();

/** The codes of a part under all renamings. */
function codesOf<Part extends object>(
  known: WeakMap<Part, readonly number[]>,
  part: Part,
  code: (part: Part, names: Names) => string,
): readonly number[] {
  const found = known.get(part);
  if (found !== undefined) return found;
  const made = renamings.map((names) => numberOf(code(part, names)));
  known.set(part, made);
  return made;
}

function ghostCode({ leaders, committed, votes }: Ghost, names: Names): string {
  const given = Object.entries(votes).map(([key, to]) => `${names[Number(key[0])]}${key.slice(1)}:${names[to]}`);
  const known = committed.map(({ term, in: inTerm }) => `${term}<${inTerm}`);
  return `ghost ${given.sort().join()};${leaders.map((id) => names[id]).join()};${known.join()}`;
}

/**
 * A number of 53 bits that worlds share exactly if they differ only in the names of the
 * nodes, the smallest over all renamings. A collision among a million states is one chance
 * in ten thousand, and only hides a state.
 */
export function worldHash({ nodes, network, ghost, crashes, elections, heartbeats }: World): number {
  const perNode = nodes.map((node) => codesOf(nodeCodes, node, nodeCode));
  const perMessage = network.map((message) => codesOf(messageCodes, message, messageCode));
  const perGhost = codesOf(ghostCodes, ghost, ghostCode);
  const budget = (crashes * 64 + elections) * 64 + heartbeats;
  let smallest = Number.POSITIVE_INFINITY;
  for (let which = 0; which < renamings.length; which++) {
    const parts = [0, 0, 0, perGhost[which]!, budget];
    for (let i = 0; i < nodes.length; i++) parts[renamings[which]![i + 1]! - 1] = perNode[i]![which]!;
    // Their order counts: the oldest is the one that gets lost.
    for (const codes of perMessage) parts.push(codes[which]!);
    smallest = Math.min(smallest, hashOf(parts));
  }
  return smallest;
}

/** 53 bits of a list of numbers, mixed as cyrb53 mixes letters. */
function hashOf(parts: readonly number[]): number {
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  for (let i = 0; i < parts.length; i++) {
    a = Math.imul(a ^ parts[i]!, 2654435761);
    b = Math.imul(b ^ parts[i]!, 1597334677);
    a = (a << 13) | (a >>> 19);
    b = (b << 17) | (b >>> 15);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return 4294967296 * (2097151 & b) + (a >>> 0);
}
