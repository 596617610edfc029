/**
 * One host over a real journal; its peers exist only in the test, which sees every message
 * that leaves and can hold up the disk.
 */
import { asNodeId, asRaftIndex, asTerm, type NodeId } from '@balsa/node/core/ids.ts';
import { defaultRaftConfig } from '@balsa/node/core/raft/config.ts';
import type { Entry } from '@balsa/node/core/raft/entry.ts';
import type { Message } from '@balsa/node/core/raft/message.ts';
import { createHost, type RunningHost } from '@balsa/node/host/host.ts';
import type { HostLimits, HostObserver } from '@balsa/node/host/options.ts';
import { simpleMembership } from '@balsa/node/host/state.ts';
import type { GroupMessage, Network, NetworkHandler } from '@balsa/node/ports/network.ts';
import type { RepairableJournal } from '@balsa/node/storage/journal/open.ts';
import { createMemoryStateFolder } from '@balsa/node/storage/state/memory-state-store.ts';
import { createVirtualClock, type VirtualClock } from '../../sim/world/virtual-clock.ts';
import { open as openJournal } from '../journal/journal-fixture.ts';
import { heldDisk } from '../journal/scripted-disk.ts';
import { bytes, createListMachine, group, type ListMachine } from './host-cluster.ts';

export const generation = 3;
const members = [1, 2, 3].map(asNodeId);

/** Kinds of the messages that left, and to whom. */
type Said = readonly [kind: Message<Uint8Array>['kind'], to: number];

export interface LoneHost {
  readonly host: RunningHost;
  readonly machine: ListMachine;
  readonly journal: RepairableJournal;
  readonly clock: VirtualClock;
  readonly fatal: unknown[];
  readonly handler: () => NetworkHandler;
  /** What left since the last call. */
  readonly said: () => readonly Said[];
  readonly messages: () => readonly Message<Uint8Array>[];
  /** A message from a peer; fields that are not given are harmless. */
  readonly hear: (kind: Message<Uint8Array>['kind'], from: number, term: number, fields?: Record<string, unknown>, of?: number) => void;
  /** Syncs of segments wait from now on until the returned function is called. */
  readonly holdDisk: () => () => void;
  /** Lets everything happen that is not held up. */
  readonly settle: () => Promise<void>;
  /** Makes the host lead in the next term with the help of node 2. */
  readonly lead: () => Promise<number>;
}

export interface LoneHostOptions {
  readonly limits?: Partial<HostLimits>;
  readonly observer?: HostObserver;
  /** Puts something between the host and its journal. */
  readonly journalOf?: (journal: RepairableJournal) => RepairableJournal;
  readonly cacheBytesMax?: number;
}

export async function startLoneHost(options: LoneHostOptions = {}): Promise<LoneHost> {
  const { limits = {}, observer = {}, journalOf = (journal) => journal, cacheBytesMax = 1024 * 1024 } = options;
  const { slowDisk, hold } = heldDisk('datasync');
  const clock = createVirtualClock();
  const fatal: unknown[] = [];
  const { journal } = await openJournal(slowDisk, { segmentBytes: 64 * 1024, cacheBytesMax, onFatal: (error) => fatal.push(error) });
  const sent: { readonly to: NodeId; readonly item: GroupMessage }[] = [];
  let handler: NetworkHandler | undefined;
  const network: Network = {
    start: (given) => {
      handler = given;
    },
    send: (to, items) => void sent.push(...items.map((item) => ({ to, item }))),
    readEntries: () => Promise.reject(new Error('not in this test')),
    queuedBytes: () => 0,
    isConnected: () => true,
    stop: () => Promise.resolve(),
  };
  const host = createHost({
    self: asNodeId(1),
    journal: journalOf(journal),
    network,
    stateStore: await createMemoryStateFolder().open(),
    clock,
    random: { below: () => 0, hex: () => '' },
    raft: defaultRaftConfig,
    tickMs: 50,
    limits,
    observer,
    onFatal: (error) => fatal.push(error),
  });
  const machine = createListMachine();
  await host.open({ group, generation, birth: simpleMembership(members), machine });
  const settle = (): Promise<void> => clock.advance(1);
  const takeSent = () => sent.splice(0);
  const hear: LoneHost['hear'] = (kind, from, term, fields = {}, of = generation) => {
    const blanks = { index: 0, indexTerm: 0, commit: 0, entries: [], hintIndex: 0, hintTerm: 0, readRound: 0 };
    const flags = { preVote: false, transfer: false, reject: false };
    const message = { kind, from, to: 1, term, ...blanks, ...flags, ...fields } as unknown as Message<Uint8Array>;
    handler?.onMessages(asNodeId(from), [{ group, generation: of, message }]);
  };
  const status = () => host.status(group)!;
  return {
    host,
    machine,
    journal,
    clock,
    fatal,
    handler: () => handler!,
    said: () => takeSent().map(({ to, item }) => [item.message.kind, to]),
    messages: () => takeSent().map(({ item }) => item.message),
    hear,
    holdDisk: hold,
    settle,
    lead: async () => {
      const term = status().term + 1;
      host.campaign(group);
      await settle();
      hear('vote-response', 2, term, { preVote: true });
      await settle();
      hear('vote-response', 2, term);
      await settle();
      if (status().role !== 'leader') throw new Error(`not elected: ${status().role}`);
      hear('append-response', 2, term, { index: status().last });
      await settle();
      return term;
    },
  };
}

/** Commands after `index`, all of one term. */
export const commands = (index: number, term: number, ...texts: string[]): Entry<Uint8Array>[] =>
  texts.map((text, place) => {
    const payload = bytes(text);
    return { kind: 'command', index: asRaftIndex(index + place + 1), term: asTerm(term), size: payload.length, payload };
  });
