/**
 * A whole Raft group in memory under a hostile network and hostile disks, driven by
 * one seed: messages are lost, doubled and overtake each other; a crash loses every
 * write that was not on disk, and may leave half of the one that was under way.
 */
import { asNodeId, asRaftIndex, type NodeId } from '@balsa/node/core/ids.ts';
import { defaultRaftConfig, type RaftConfig } from '@balsa/node/core/raft/config.ts';
import type { Effects, Write } from '@balsa/node/core/raft/effects.ts';
import type { Input } from '@balsa/node/core/raft/input.ts';
import type { Membership } from '@balsa/node/core/raft/membership.ts';
import type { Message, OutgoingMessage } from '@balsa/node/core/raft/message.ts';
import { membershipAt, termAt } from '@balsa/node/core/raft/state.ts';
import { statusOf } from '@balsa/node/core/raft/status.ts';
import { step } from '@balsa/node/core/raft/step.ts';
import { checkLeaderCommit, checkLogMatching, createLedger, expectThat, type Ledger, noteCommitted, noteLeader } from './raft-ledger.ts';
import { bootNode, bornNode, compactImage, endOf, fillIn, type SimNode, writeImage } from './raft-node.ts';

const messagesMax = 400;
/** Messages that were delivered and may come again, however late. */
const rememberedMax = 200;

export interface SimGroup {
  readonly nodes: readonly SimNode[];
  network: Message<string>[];
  /** Delivered before, also to or from earlier lives of the nodes. */
  readonly delivered: Message<string>[];
  isolated: NodeId | undefined;
  readonly ledger: Ledger;
  /** 0 <= value < bound, from the seed. */
  readonly pick: (bound: number) => number;
  serial: number;
}

export interface GroupOptions {
  readonly seed: number;
  readonly voters: readonly number[];
  readonly spares: readonly number[];
  readonly config?: Partial<RaftConfig>;
}

export function createGroup({ seed, voters, spares, config }: GroupOptions): SimGroup {
  const birth: Membership = { voters: voters.map(asNodeId), outgoing: [], learners: [], learnersNext: [], autoLeave: false };
  const nodes = [...voters, ...spares].map((id) =>
    bornNode({ ...defaultRaftConfig, electionTicksMin: 4, electionTicksMax: 8, seed, ...config, self: asNodeId(id) }, birth),
  );
  return { nodes, network: [], delivered: [], isolated: undefined, ledger: createLedger(), pick: chance(seed), serial: 0 };
}

function chance(seed: number): (bound: number) => number {
  let word = seed >>> 0 || 1;
  return (bound) => {
    word ^= word << 13;
    word >>>= 0;
    word ^= word >>> 17;
    word ^= word << 5;
    word >>>= 0;
    return word % bound;
  };
}

export function act(group: SimGroup, node: SimNode, input: Input<string>): Effects<string> | undefined {
  if (node.raft === undefined) return undefined;
  const effects = step(node.raft, input);
  execute(group, node, effects);
  checkLeaderCommit(group.ledger, node, group.nodes);
  return effects;
}

function execute(group: SimGroup, node: SimNode, effects: Effects<string>): void {
  const { ledger } = group;
  const { write, soft, committed } = effects;
  if (write !== undefined) order(ledger, node, write);
  for (const message of effects.send) transmit(group, node, message);
  for (const message of effects.sendAfterWrite) {
    expectThat(write !== undefined, 'messages that wait have a write to wait for', { node: node.id, message });
    node.held.push({ token: write.token, message });
  }
  if (soft?.role === 'leader') noteLeader(ledger, node, soft.term);
  if (committed !== undefined) noteCommitted(ledger, node, committed);
  for (const { context, index } of effects.reads) {
    ledger.counts.reads += 1;
    const floor = ledger.readFloor.get(context)!;
    expectThat(index >= floor, 'a read sees everything committed before it', { node: node.id, context, index, floor });
  }
}

function order(ledger: Ledger, node: SimNode, write: Write<string>): void {
  const first = write.entries[0]?.index;
  if (first !== undefined && first <= endOf(node.view)) ledger.counts.truncations += 1;
  writeImage(node.view, write);
  node.pending.push(write);
  if (write.snapshot === undefined) return;
  ledger.counts.snapshots += 1;
  node.handed = write.snapshot.index;
}

function transmit(group: SimGroup, node: SimNode, outgoing: OutgoingMessage): void {
  const message = fillIn(node.view, outgoing);
  if (message !== undefined && group.network.length < messagesMax) group.network.push(message);
}

/** The oldest pending write reaches the disk; what waited for it leaves, and the core learns of it. */
export function persist(group: SimGroup, node: SimNode): void {
  const write = node.pending.shift();
  if (write === undefined) return;
  node.disk = { ...node.disk };
  writeImage(node.disk, write);
  const released = node.held.filter(({ token }) => token <= write.token);
  node.held = node.held.filter(({ token }) => token > write.token);
  for (const { message } of released) transmit(group, node, message);
  act(group, node, { type: 'persisted', token: write.token });
}

export function deliver(group: SimGroup, message: Message<string>): void {
  if (message.from === group.isolated || message.to === group.isolated) return;
  const node = group.nodes.find(({ id }) => id === message.to)!;
  act(group, node, { type: 'message', message });
}

export function tickNode(group: SimGroup, node: SimNode): void {
  node.now += 1;
  act(group, node, { type: 'tick', now: node.now });
}

/** Power failure. Frames of the write under way reach the disk up to some point: hard state, snapshot, then entries. */
export function crash(group: SimGroup, node: SimNode): void {
  const kept = group.pick(node.pending.length + 1);
  const torn = node.pending[kept];
  node.disk = { ...node.disk };
  for (const write of node.pending.slice(0, kept)) writeImage(node.disk, write);
  if (torn !== undefined && group.pick(2) === 0) writeImage(node.disk, tear(torn, group.pick(torn.entries.length + 2)));
  node.raft = undefined;
  node.pending = [];
  node.held = [];
  group.ledger.counts.crashes += 1;
}

function tear({ token, hardState, snapshot, entries }: Write<string>, frames: number): Write<string> {
  if (frames === 0 || hardState === undefined) return { token, entries: [], ...(hardState && { hardState }) };
  return { token, hardState, ...(snapshot && { snapshot }), entries: entries.slice(0, frames - 1) };
}

export const leadersOf = (group: SimGroup): readonly SimNode[] => group.nodes.filter(({ raft }) => raft?.role === 'leader');

/** The machine catches up, and may keep a snapshot there and let the log go. */
function applyAndCompact(group: SimGroup, node: SimNode): void {
  if (node.raft === undefined) return;
  const applied = asRaftIndex(node.handed);
  act(group, node, { type: 'applied', index: applied });
  const room = applied - node.view.snapshot.index;
  const installing = node.pending.some(({ snapshot }) => snapshot !== undefined);
  if (room < 1 || installing || group.pick(3) > 0) return;
  const index = asRaftIndex(node.view.snapshot.index + 1 + group.pick(room));
  const snapshot = { index, term: termAt(node.raft, index), membership: membershipAt(node.raft, index), state: `up to ${index}` };
  compactImage(node.view, snapshot);
  node.disk = { ...node.disk };
  compactImage(node.disk, snapshot);
  act(group, node, { type: 'compact', index });
}

function changeMembership(group: SimGroup, node: SimNode): void {
  const ids = group.nodes.map(({ id }) => id);
  const shuffled = ids.map((id) => ({ id, key: group.pick(1000) })).sort((a, b) => a.key - b.key);
  const voters = shuffled.slice(0, 1 + group.pick(ids.length)).map(({ id }) => id);
  const learners = shuffled.slice(voters.length, voters.length + group.pick(2)).map(({ id }) => id);
  const effects = act(group, node, { type: 'change-membership', target: { voters, learners } });
  if (effects?.accepted !== undefined) group.ledger.counts.memberships += 1;
}

function read(group: SimGroup, node: SimNode): void {
  const context = group.serial++;
  group.ledger.readFloor.set(context, group.ledger.knownLast);
  act(group, node, { type: 'read', context });
}

function propose(group: SimGroup, node: SimNode): void {
  const commands = Array.from({ length: 1 + group.pick(3) }, () => ({ payload: `c${group.serial++}`, size: 1 + group.pick(60) }));
  act(group, node, { type: 'propose', commands });
}

function takeMessage(group: SimGroup, isInOrder: boolean): Message<string> | undefined {
  const position = isInOrder ? 0 : group.pick(group.network.length || 1);
  return group.network.splice(position, 1)[0];
}

function networkEvent(group: SimGroup, hostility: number): void {
  const isHostile = group.pick(100) < hostility;
  const message = takeMessage(group, !isHostile);
  if (message === undefined) return;
  const fate = isHostile ? group.pick(4) : 3;
  if (fate === 0) return;
  if (fate === 1) group.network.push(message);
  if (fate === 2) replay(group);
  remember(group, message);
  deliver(group, message);
}

function remember(group: SimGroup, message: Message<string>): void {
  if (group.delivered.length < rememberedMax) group.delivered.push(message);
  else group.delivered[group.pick(rememberedMax)] = message;
}

/** A message of long ago comes again. */
function replay(group: SimGroup): void {
  const old = group.delivered[group.pick(group.delivered.length || 1)];
  if (old === undefined) return;
  group.ledger.counts.replays += 1;
  deliver(group, old);
}

/** One random event. `hostility`: per cent of network events that lose, double or reorder. */
export function happen(group: SimGroup, hostility: number): void {
  const node = group.nodes[group.pick(group.nodes.length)]!;
  const leader = leadersOf(group).at(group.pick(2) - 1);
  const dice = group.pick(1000);
  if (dice < 500) networkEvent(group, hostility);
  else if (dice < 740) persist(group, node);
  else if (dice < 860) tickNode(group, node);
  else if (dice < 920) propose(group, leader ?? node);
  else if (dice < 945) read(group, leader ?? node);
  else if (dice < 965) applyAndCompact(group, node);
  else if (dice < 975) changeMembership(group, leader ?? node);
  else if (dice < 980) act(group, leader ?? node, { type: 'transfer', target: node.id });
  else if (dice < 985) loseConnection(group, node);
  else if (dice < 990) isolateOrRejoin(group, leader ?? node);
  else if (dice < 995 && node.raft !== undefined) crash(group, node);
  if (node.raft === undefined && group.pick(10) === 0) bootNode(node);
  if (dice % 50 === 0) checkLogMatching(group.nodes);
}

/** One node at a time hears nobody and is heard by nobody, and does not know it. */
function isolateOrRejoin(group: SimGroup, node: SimNode): void {
  group.isolated = group.isolated === undefined ? node.id : undefined;
}

/** A connection closes: what is under way between two nodes is lost, and both are told. */
function loseConnection(group: SimGroup, node: SimNode): void {
  const other = group.nodes[group.pick(group.nodes.length)]!;
  if (other === node) return;
  const isBetween = ({ from, to }: { from: NodeId; to: NodeId }): boolean =>
    (from === node.id && to === other.id) || (from === other.id && to === node.id);
  group.network = group.network.filter((message) => !isBetween(message));
  act(group, node, { type: 'peer-lost', node: other.id });
  act(group, other, { type: 'peer-lost', node: node.id });
}

/** Everything works again: within a bounded time there is one leader and all members agree with it. */
export function heal(group: SimGroup): void {
  for (const node of group.nodes) if (node.raft === undefined) bootNode(node);
  group.isolated = undefined;
  const rounds = 400;
  for (let round = 0; round < rounds; round++) {
    for (const node of group.nodes) tickNode(group, node);
    settle(group);
    if (round > 20 && hasConverged(group)) return;
  }
  throw new Error(`no agreement after ${rounds} ticks: ${JSON.stringify(group.nodes.map(({ id, raft }) => [id, statusOf(raft!)]))}`);
}

/** Delivers and persists until nothing is under way. */
export function settle(group: SimGroup): void {
  const eventsMax = 20_000;
  for (let event = 0; event < eventsMax; event++) {
    for (const node of group.nodes) while (node.pending.length > 0) persist(group, node);
    const message = takeMessage(group, true);
    if (message === undefined) return;
    deliver(group, message);
  }
  throw new Error('messages never end');
}

function hasConverged(group: SimGroup): boolean {
  const [leader, ...more] = leadersOf(group);
  if (leader === undefined || more.length > 0) return false;
  const { term, last, commit, membership, replicas } = statusOf(leader.raft!);
  const members = replicas.map(({ node }) => group.nodes.find(({ id }) => id === node)!);
  return (
    commit === last &&
    membership.outgoing.length === 0 &&
    members.every(({ raft }) => raft!.term === term && raft!.commit === commit && raft!.leader === leader.id)
  );
}
