/** Assembles the host: the functions of the role files bound to one state. */
import type { GroupId, RaftIndex } from '../core/ids.ts';
import type { Entry } from '../core/raft/entry.ts';
import { type Frame, type GroupKey, JournalCorrupt } from '../storage/journal/vocabulary.ts';
import { checkpoint, maybeCompact } from './checkpoint.ts';
import { checkpointFamily, checkpointRange } from './checkpoint-codec.ts';
import { abandonWaits, changeMembership, transfer } from './leadership.ts';
import { wasRemoved } from './left-behind.ts';
import type { HostOptions } from './options.ts';
import { propose } from './propose.ts';
import { confirmRead } from './reads.ts';
import { peerLost, receive } from './receive.ts';
import { recoverGroup } from './recover.ts';
import { retiredKey, retirementFrames } from './retired.ts';
import { becomeFaulty, beginRepair } from './repair.ts';
import { serveEntries } from './serve-entries.ts';
import { createHostState, type GroupState, type HostState } from './state.ts';
import { groupStatus } from './status.ts';
import { startTicks } from './ticks.ts';
import { enqueue } from './schedule.ts';
import { runTurn } from './turn.ts';
import type { GroupSpec, Host } from './vocabulary.ts';
import { HostError } from './vocabulary.ts';

export interface RunningHost extends Host {
  /** Offers the machine's log start to compaction after retention moved; cheap if there is nothing to do. */
  readonly compact: (group: GroupId) => Promise<void>;
  /** Bytes of proposals that wait for their outcome. */
  readonly proposalBytes: () => number;
}

export function createHost(options: HostOptions): RunningHost {
  const host = createHostState(options);
  host.runTurn = () => runTurn(host);
  options.network.start({
    onMessages: (from, messages) => receive(host, from, messages),
    onPeerUp: () => {},
    onPeerLost: (peer) => peerLost(host, peer),
    onReadEntries: (_from, request) => serveEntries(host, request),
  });
  startTicks(host);
  return {
    self: options.self,
    open: (spec) => open(host, spec),
    isKnown: (key) => options.journal.group(key) !== undefined,
    isRetired: (key) => options.journal.group(retiredKey(key)) !== undefined,
    wasRemoved: (group, peer) => withGroup(host, group, (found) => wasRemoved(host, found, peer)),
    remove: (key) => remove(host, key.group, 'deleted'),
    retire: (key) => remove(host, key.group, 'moved'),
    propose: (group, payload, proposeOptions) => withGroup(host, group, (found) => propose(host, found, payload, proposeOptions)),
    confirmRead: (group, timeoutMs) => withGroup(host, group, (found) => confirmRead(host, found, timeoutMs)),
    read: (group, first, last, bytesMax) => withGroup(host, group, (found) => read(host, found, { first, last, bytesMax })),
    status: (group) => {
      const found = host.groups.get(group);
      return found === undefined ? undefined : groupStatus(found);
    },
    groups: () => [...host.groups.keys()],
    transfer: (group, target, timeoutMs) => withGroup(host, group, (found) => transfer(host, found, target, timeoutMs)),
    campaign: (group) => {
      const found = host.groups.get(group);
      if (found !== undefined) enqueue(host, found, { input: { type: 'campaign' } });
    },
    changeMembership: (group, target, timeoutMs) => withGroup(host, group, (found) => changeMembership(host, found, target, timeoutMs)),
    onLeaderChange: (listener) => {
      host.listeners.push(listener);
    },
    isConnected: options.network.isConnected,
    stop: ({ handOverMs }) => stop(host, handOverMs),
    compact: (group) => withGroup(host, group, (found) => maybeCompact(host, found)),
    proposalBytes: () => host.proposalBytes,
  };
}

function withGroup<Result>(host: HostState, group: GroupId, action: (found: GroupState) => Promise<Result>): Promise<Result> {
  const found = host.groups.get(group);
  return found === undefined ? Promise.reject(new HostError({ reason: 'unknown-group' })) : action(found);
}

async function open(host: HostState, spec: GroupSpec): Promise<void> {
  if (host.groups.has(spec.group)) return;
  const group = await recoverGroup(host, spec);
  host.groups.set(spec.group, group);
  if (group.faulty) beginRepair(host, group, 'the journal was damaged when it was opened');
}

async function read(
  host: HostState,
  group: GroupState,
  { first, last, bytesMax }: { readonly first: RaftIndex; readonly last: RaftIndex; readonly bytesMax: number },
): Promise<readonly Entry<Uint8Array>[]> {
  try {
    return await host.options.journal.read(group.key, first, last, bytesMax);
  } catch (error) {
    if (!(error instanceof JournalCorrupt)) throw error;
    becomeFaulty(host, group, error);
    throw new HostError({ reason: 'faulty' });
  }
}

/** Of a group that moved away it stays how far votes and acknowledgements went (retired.ts). */
async function remove(host: HostState, id: GroupId, why: 'deleted' | 'moved'): Promise<void> {
  const group = host.groups.get(id);
  if (group === undefined) return;
  group.removed = true;
  group.epoch += 1;
  host.groups.delete(id);
  abandonWaits(host, group);
  const { journal } = host.options;
  const memory = why === 'moved' ? retirementFrames(host, group) : forgetting(host, group.key);
  await journal.append([...memory, { ...group.key, kind: 'removed' }], { purpose: 'essential' });
  await host.options.stateStore.write([
    { op: 'delete-range', family: checkpointFamily, ...checkpointRange(group.key) },
    ...group.machine.takeRows(),
  ]);
}

function forgetting({ options }: HostState, key: GroupKey): readonly Frame[] {
  const retired = retiredKey(key);
  return options.journal.group(retired) === undefined ? [] : [{ ...retired, kind: 'removed' }];
}

/** Hands every leadership over (as far as time allows), saves the machines, and goes quiet. */
async function stop(host: HostState, handOverMs: number): Promise<void> {
  host.stopping = true;
  const led = [...host.groups.values()].filter((group) => group.role === 'leader');
  await Promise.allSettled(led.map((group) => transfer(host, group, undefined, handOverMs)));
  host.stopTicks();
  await Promise.allSettled([...host.groups.values()].map((group) => checkpoint(host, group)));
  host.failed = true;
  for (const group of host.groups.values()) abandonWaits(host, group);
}
