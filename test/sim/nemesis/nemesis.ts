/** Strikes faults one after the other while the safety phase lasts; each heals after a while, and all at its end. */
import { calmProfile } from '../world/disk/disk-profile.ts';
import type { RunState } from '../run/run-state.ts';
import { resume, start } from './lifecycle.ts';
import { strikes } from './faults.ts';
import type { Heal } from './network-faults.ts';

/** Faults that last at the same time. */
const activeMax = 4;
const healMsMin = 100;

export interface Nemesis {
  /** Ends every fault and starts what is down, except `dead`. */
  readonly heal: (dead: ReadonlySet<number>) => void;
}

export function startNemesis(run: RunState): Nemesis {
  const { options, world } = run;
  const random = world.random('nemesis');
  const active = new Set<Heal>();
  let isOver = false;
  const end = (heal: Heal): void => {
    if (active.delete(heal)) heal();
  };
  const strike = (): void => {
    if (isOver) return;
    world.clock.after(random.between(1, options.faultPauseMsMax), strike);
    if (options.faults.length === 0 || active.size >= activeMax) return;
    const fault = random.pick(options.faults);
    const lastsMs = random.between(healMsMin, options.faultMsMax);
    const heal = strikes[fault](run, random);
    if (heal === undefined) return;
    run.note(`fault-${fault}`);
    active.add(heal);
    world.clock.after(lastsMs, () => end(heal));
  };
  world.clock.after(random.between(1, options.faultPauseMsMax), strike);
  return {
    heal: (dead) => {
      isOver = true;
      for (const heal of active) heal();
      active.clear();
      world.clients.healAll();
      for (const { disk } of world.nodes) Object.assign(disk.profile, { ...calmProfile(), syncMsMax: options.syncMsMax });
      for (const node of world.nodes) {
        resume(run, node);
        if (!dead.has(node.id)) start(run, node);
      }
    },
  };
}
