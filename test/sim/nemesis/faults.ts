/** One fault of each class: struck at a target that chance chooses, with the way to heal it. */
import { asGroupId, metadataGroup } from '@balsa/node/core/ids.ts';
import { encodeMetadataCommand } from '@balsa/node/core/machines/metadata/command-codec.ts';
import type { RunState } from '../run/run-state.ts';
import type { Stream } from '../world/random-streams.ts';
import type { SimNode } from '../world/sim-node.ts';
import { damage, errors, fill, stall } from './disk-faults.ts';
import { isUp, kill, pause, powerOff, resume, start, stop } from './lifecycle.ts';
import { bridge, clog, cutClient, cutOneWay, delay, disconnect, type Heal, isolate, resetClient, split } from './network-faults.ts';
import type { FaultClass } from './swarm.ts';

/** Strikes; undefined if there was nothing to strike at. */
type Strike = (run: RunState, random: Stream) => Heal | undefined;

const slowSyncMs = 400;
const delayMsMax = 600;
const clockStepMsMax = 288_000;
const timeoutMs = 3000;

/** A leader of some group as often as any node. */
function target({ world }: RunState, random: Stream): SimNode | undefined {
  const up = world.nodes.filter(isUp);
  const leading = up.filter((node) => node.life?.host.groups().some((group) => node.life?.host.status(group)?.role === 'leader'));
  const candidates = leading.length > 0 && random.chance(500) ? leading : up;
  return candidates.length === 0 ? undefined : random.pick(candidates);
}

const atTarget =
  (strike: (run: RunState, node: SimNode, random: Stream) => Heal | undefined): Strike =>
  (run, random) => {
    const node = target(run, random);
    return node === undefined ? undefined : strike(run, node, random);
  };

const endOf = (end: (run: RunState, node: SimNode) => void): Strike =>
  atTarget((run, node) => {
    end(run, node);
    return () => start(run, node);
  });

const atLink =
  (strike: (run: RunState, one: SimNode, other: SimNode, random: Stream) => Heal): Strike =>
  (run, random) => {
    const [one, other] = random.shuffle(run.world.nodes);
    return one === undefined || other === undefined ? undefined : strike(run, one, other, random);
  };

const atClient = (strike: (run: RunState, client: string, node: SimNode, random: Stream) => Heal): Strike =>
  atTarget((run, node, random) => {
    const clients = [...run.crew.running.keys()];
    return clients.length === 0 ? undefined : strike(run, random.pick(clients), node, random);
  });

const someNodes = ({ world }: RunState, random: Stream): readonly SimNode[] =>
  random.shuffle(world.nodes).slice(0, random.between(1, world.nodes.length - 1));

const powerAll: Strike = (run) => {
  for (const node of run.world.nodes) powerOff(run, node);
  return () => {
    for (const node of run.world.nodes) start(run, node);
  };
};

function slowDisk(run: RunState, node: SimNode): Heal {
  // The profile goes with the disk from process to process.
  const { profile } = node.disk;
  const before = run.options.syncMsMax;
  profile.syncMsMax = slowSyncMs;
  return () => {
    profile.syncMsMax = before;
  };
}

function transfer(run: RunState, node: SimNode, random: Stream): Heal | undefined {
  const host = node.life?.host;
  const led = host?.groups().filter((group) => host.status(group)?.role === 'leader') ?? [];
  if (host === undefined || led.length === 0) return undefined;
  const group = random.pick(led);
  const to = random.pick(run.world.nodes).id;
  host.transfer(group, to, timeoutMs).then(
    () => run.note('transferred'),
    () => {},
  );
  return () => {};
}

/** Another set of replicas for some partition, as an operator would ask the metadata for. */
function changeReplicas(run: RunState, random: Stream): Heal | undefined {
  const hosts = run.world.nodes.flatMap(({ life }) => life?.host ?? []);
  const host = hosts.find((each) => each.status(metadataGroup)?.role === 'leader');
  if (host === undefined) return undefined;
  const groups = host.groups().filter((group) => group !== metadataGroup);
  if (groups.length === 0) return undefined;
  const replicas = random
    .shuffle(run.world.nodes)
    .slice(0, 3)
    .map(({ id }) => id);
  const command = { type: 'set-replicas', group: asGroupId(random.pick(groups)), replicas, learners: [] } as const;
  host.propose(metadataGroup, encodeMetadataCommand(command), { durability: 'quorum', timeoutMs }).then(
    () => run.note('replicas-set', `${command.group} ${replicas.join()}`),
    () => {},
  );
  return () => {};
}

function damageState(run: RunState, node: SimNode): Heal {
  kill(run, node);
  node.stateFolder.damage();
  return () => start(run, node);
}

/**
 * The choreography that an acknowledgement before the fsync does not survive: one node is cut
 * off, the others go on; one of these loses power, the other is cut off, and the first two
 * shall be a majority without it.
 */
function partKill(run: RunState, random: Stream): Heal | undefined {
  const [left, dying, last] = random.shuffle(run.world.nodes.filter(isUp));
  if (left === undefined || dying === undefined || last === undefined) return undefined;
  const { clock } = run.world;
  const healFirst = isolate(run, left);
  let healLast = (): void => {};
  const stopStage = clock.after(stageMs, () => {
    powerOff(run, dying);
    healLast = isolate(run, last);
    healFirst();
    clock.after(stageMs / 2, () => start(run, dying));
  });
  return () => {
    stopStage();
    healFirst();
    healLast();
    start(run, dying);
  };
}
const stageMs = 2000;

const stepClock = (_run: RunState, node: SimNode, random: Stream): Heal => {
  const deltaMs = random.between(-clockStepMsMax, clockStepMsMax);
  node.clock?.stepWall(deltaMs);
  return () => {};
};

export const strikes: Readonly<Record<FaultClass, Strike>> = {
  kill: endOf(kill),
  power: endOf(powerOff),
  'power-all': powerAll,
  stop: endOf(stop),
  pause: atTarget((run, node) => {
    pause(run, node);
    return () => resume(run, node);
  }),
  isolate: atTarget((run, node) => isolate(run, node)),
  'one-way': atTarget((run, node, random) => cutOneWay(run, node, random.chance(500))),
  split: (run, random) => split(run, someNodes(run, random)),
  bridge: atTarget((run, node, random) => bridge(run, node, someNodes(run, random))),
  disconnect: atLink(disconnect),
  clog: atLink(clog),
  delay: atLink((run, one, other, random) => delay(run, one, other, random.below(delayMsMax))),
  'client-cut': atClient((run, client, node, random) => cutClient(run, client, node, random.chance(600))),
  'client-reset': atClient(resetClient),
  'slow-disk': atTarget(slowDisk),
  'clock-step': atTarget(stepClock),
  transfer: atTarget(transfer),
  replicas: changeReplicas,
  'state-damage': atTarget(damageState),
  'part-kill': partKill,
  'disk-damage': atTarget(damage),
  'disk-sync-error': atTarget(errors('syncErrorPerMillion')),
  'disk-write-error': atTarget(errors('writeErrorPerMillion')),
  'disk-read-error': atTarget(errors('readErrorPerMillion')),
  'disk-full': atTarget(fill),
  'disk-stall': atTarget(stall),
};
