/**
 * Damaged groups: silence until the peers have given back what this disk lost.
 *
 * Damage found at the start or while reading makes a replica *faulty*: it is not
 * stepped, so it neither votes, leads, acknowledges nor applies, and every proposal and
 * read is refused. It asks the group's members one after the other for the lost
 * entries, writes them back, and then starts anew like after a restart.
 *
 * Why silence is safe: Raft survives replicas that do not answer, and what this one
 * acknowledged or voted before stays true: the journal never forgets term, vote, nor
 * the (index, term) of a damaged entry. What must not happen is that it takes part as
 * if it had the entries: it could win an election and be unable to send them, while
 * the majority that committed them counts on its copy. Granting votes to longer logs
 * would be safe too, but is not worth a second mode of taking part.
 * The price is availability: until it has healed it counts as down. With three
 * replicas a second failure stops the group.
 *
 * Why what a peer says can be taken:
 *  - An entry with the (index, term) that this log has is the same entry, because one
 *    leader made it once (log matching).
 *  - A committed entry with another term proves that this log's entry at that index,
 *    and all behind it, were never committed: they are cut, as any leader would do.
 *    Never at or below what this replica itself knows to be committed.
 *  - A log start is committed state. If it agrees with this log, what lies behind it
 *    stays; if not, or if it lies behind the end, the whole log is void.
 *
 * Lost entries beyond every commit index wait: as soon as a majority of the others has
 * a leader, its first committed entry either covers them (they are fetched) or
 * contradicts this log (they are cut). Without such a majority this copy may be needed
 * to decide, nobody has it, and the group waits for a member with a sound log.
 *
 * Failure contract: a repair never gives up, it only becomes slow (pauseTicksMax);
 * `onRepair` and the status say why it does not get on. No room on the disk is such a
 * reason too; other errors stop the host.
 */
import { assert } from '../core/assert.ts';
import { type NodeId, noNode } from '../core/ids.ts';
import type { Membership } from '../core/raft/membership.ts';
import { type EntriesAnswer, PeerUnavailable } from '../ports/network.ts';
import { JournalCorrupt, JournalFull, type RecoveredGroup } from '../storage/journal/vocabulary.ts';
import { abandonWaits, noticeLeader } from './leadership.ts';
import { recoverGroup } from './recover.ts';
import { takeAnswer } from './repair-answer.ts';
import { failHost } from './schedule.ts';
import type { GroupState, HostState, Repair } from './state.ts';

/** Entry bytes asked for at once. */
const requestBytesMax = 4 * 1024 * 1024;
/** Pause after an attempt that brought nothing; doubles up to the maximum. */
const pauseTicksMin = 2;
const pauseTicksMax = 200;
/** Reasons remembered, so that each is told once; then they are told again. */
const toldMax = 16;

/** Begins the repair of a group that was opened damaged; ticks drive it (repairOnTick). */
export function beginRepair(host: HostState, group: GroupState, why: string): void {
  const lost = host.options.journal.group(group.key)?.faulty;
  const startedMs = host.options.clock.monotonicMs();
  group.repair = { startedMs, machineKept: false, busy: false, nextTick: 0, failures: 0, asked: 0, told: new Set() };
  host.options.observer?.onRepair?.({ type: 'begun', ...group.key, first: lost?.first, last: lost?.last, why });
}

/** Damage found while the group is running: it falls silent at once. */
export function becomeFaulty(host: HostState, group: GroupState, cause: JournalCorrupt): void {
  if (group.faulty || group.removed || host.failed) return;
  group.faulty = true;
  // Whatever waits for disk or store on behalf of this group finds that it is void.
  group.epoch += 1;
  group.inbox = [];
  noticeLeader(host, group, { role: 'follower', leader: noNode, term: group.term });
  abandonWaits(host, group);
  beginRepair(host, group, cause.message);
  if (group.repair !== undefined) group.repair.machineKept = true;
}

export function repairOnTick(host: HostState, group: GroupState): void {
  const { repair } = group;
  if (repair === undefined || repair.busy || host.ticks < repair.nextTick) return;
  repair.busy = true;
  attempt(host, group, repair)
    .catch((error: unknown) => failHost(host, error))
    .finally(() => {
      repair.busy = false;
    });
}

/** Goes on as long as it gets on; every success must change what the journal lacks, so it ends. */
async function attempt(host: HostState, group: GroupState, repair: Repair): Promise<void> {
  let problem: string | undefined;
  while (problem === undefined && !isOver(host, group)) {
    const before = stateOfRepair(host, group);
    problem = await advance(host, group, repair).catch(problemOf);
    if (problem === undefined && !isOver(host, group) && stateOfRepair(host, group) === before) problem = noProgress;
    if (problem === undefined) succeed(repair);
  }
  if (isOver(host, group)) return;
  repair.nextTick = host.ticks + Math.min(pauseTicksMin * 2 ** repair.failures, pauseTicksMax);
  repair.failures = Math.min(repair.failures + 1, Math.ceil(Math.log2(pauseTicksMax)));
  if (problem === undefined || repair.told.has(problem)) return;
  if (repair.told.size === toldMax) repair.told.clear();
  repair.told.add(problem);
  host.options.observer?.onRepair?.({ type: 'stalled', ...group.key, reason: problem });
}

const noProgress = 'what the last peer gave changed nothing';

function stateOfRepair({ options }: HostState, { key }: GroupState): string {
  const { first, last, snapshot, faulty } = options.journal.group(key) ?? {};
  return [first, last, snapshot?.index, faulty?.first, faulty?.last].join();
}

function succeed(repair: Repair): void {
  repair.failures = 0;
  repair.told.clear();
}

const isOver = (host: HostState, group: GroupState): boolean => group.removed || host.failed;

function problemOf(error: unknown): string {
  if (error instanceof PeerUnavailable || error instanceof JournalFull || error instanceof JournalCorrupt) return error.message;
  throw error;
}

/** One step; undefined if it got on, else what keeps it from that. */
async function advance(host: HostState, group: GroupState, repair: Repair): Promise<string | undefined> {
  const found = host.options.journal.group(group.key);
  assert(found !== undefined, 'the journal knows a group that is being repaired', { ...group.key });
  const lost = found.faulty;
  if (lost === undefined) return rejoin(host, group, repair, found);
  const peer = nextPeer(host, group, repair, found);
  if (peer === undefined) return 'no other member of the group is connected';
  const ask = (first: typeof lost.first, last: typeof lost.last): Promise<EntriesAnswer> =>
    host.options.network.readEntries(peer, { ...group.key, first, last, bytesMax: requestBytesMax });
  const answer = await ask(lost.first, lost.last);
  if (isOver(host, group)) return undefined;
  if (answer.commit >= lost.first || answer.snapshot !== undefined) return takeAnswer(host, group, peer, answer);
  // The peer does not know the lost entries as committed; what it does know may contradict this log.
  const newest = await ask(answer.commit, answer.commit);
  return isOver(host, group) ? undefined : takeAnswer(host, group, peer, newest);
}

function nextPeer(host: HostState, group: GroupState, repair: Repair, found: RecoveredGroup): NodeId | undefined {
  const connected = membersOf(host, group, found).filter((node) => host.options.network.isConnected(node));
  repair.asked += 1;
  return connected[repair.asked % connected.length];
}

/** Everybody whom this log names; a membership may be among what was lost, so the birth counts too. */
function membersOf({ options }: HostState, { key, birth }: GroupState, found: RecoveredGroup): readonly NodeId[] {
  const memberships: Membership[] = [birth, found.snapshot.membership];
  for (const { membership } of options.journal.facts(key, found.first, found.last))
    if (membership !== undefined) memberships.push(membership);
  const nodes = memberships.flatMap(({ voters, outgoing, learners, learnersNext }) => [voters, outgoing, learners, learnersNext].flat());
  return [...new Set(nodes)].filter((node) => node !== options.self).sort((a, b) => a - b);
}

/** Nothing is lost any more: the group starts as after a restart, in the place of the silent one. */
async function rejoin(host: HostState, group: GroupState, repair: Repair, found: RecoveredGroup): Promise<undefined> {
  const { key, birth, machine } = group;
  // What the group had ordered before it fell silent may still be on its way; a start counts on its disk.
  await host.options.journal.append([{ ...key, kind: 'hard-state', hardState: found.hardState }], { purpose: 'essential' });
  if (isOver(host, group)) return;
  const next = await recoverGroup(host, { ...key, birth, machine }, repair.machineKept ? group.applied : undefined);
  if (isOver(host, group) || next.faulty) return;
  group.removed = true;
  host.groups.set(key.group, next);
  host.options.observer?.onRepair?.({ type: 'ended', ...key, durationMs: host.options.clock.monotonicMs() - repair.startedMs });
}
