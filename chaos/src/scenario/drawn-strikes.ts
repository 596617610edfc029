/**
 * Strikes for random mixes: of each family, what may be drawn, with sound parameters. Only
 * faults that can be shown to have had an effect whatever else is going on. Pure.
 */
import type { Chance } from '../nemesis/chance.ts';
import type { Strike } from './step.ts';

export const drawnFamilies = ['process', 'crash', 'network', 'connections', 'storage', 'membership', 'load'] as const;
export type DrawnFamily = (typeof drawnFamilies)[number];

/** Whom it may strike: a role of its own choice, or only this one, because another fault strikes the others. */
export type Aim = 'any-role' | 'leader' | 'follower';

interface Draw {
  readonly strike: string;
  /** Roles that make sense; without it the aim alone decides. */
  readonly roles?: readonly string[];
  /** It takes its time. */
  readonly forMsMin?: number;
  readonly with?: (chance: Chance) => Readonly<Record<string, unknown>>;
}

const roles = ['leader', 'leader', 'follower', 'any', 'metadata-leader'] as const;
const many = [...roles, 'minority', 'majority', 'all'] as const;
/** Only who has a replica writes all the time. */
const writers = ['leader', 'leader', 'follower', 'other-follower'] as const;
const tornChoices = [false, true, 'prefix', 'sectors'] as const;

const draws: Readonly<Record<DrawnFamily, readonly Draw[]>> = {
  process: [
    { strike: 'kill', roles: many },
    { strike: 'stop' },
    { strike: 'restart', roles: many },
    { strike: 'pause', roles: many },
    { strike: 'cpu-starve', with: (chance) => ({ share: chance.pick([0.05, 0.1, 0.3]) }) },
    { strike: 'block-loop', with: (chance) => ({ ms: chance.between(500, 3000) }) },
    { strike: 'clock-step', with: (chance) => ({ byMs: chance.between(-288_000, 288_000) }) },
  ],
  crash: [
    { strike: 'power-loss', roles: [...writers, 'all'], with: (chance) => ({ torn: chance.pick(tornChoices) }) },
    {
      strike: 'crash-at',
      roles: writers,
      with: (chance) => ({
        point: chance.pick(['journal.before-write', 'journal.after-write', 'journal.before-sync', 'journal.after-sync']),
        hit: chance.between(1, 20),
        how: chance.pick(['kill', 'power']),
      }),
    },
  ],
  network: [
    { strike: 'isolate', roles: many },
    { strike: 'mute' },
    { strike: 'deafen' },
    { strike: 'split', with: (chance) => ({ into: chance.pick(['halves', 'one-each']) }) },
    { strike: 'bridge' },
    { strike: 'cut-clients' },
    { strike: 'delay', roles: many, with: (chance) => ({ delayMs: chance.between(20, 200), jitterMs: chance.between(0, 20) }) },
    { strike: 'clog', roles: many },
  ],
  connections: [
    { strike: 'reset', roles: many, with: (chance) => ({ everyMs: chance.between(50, 1000) }) },
    { strike: 'refuse' },
    { strike: 'truncate', with: (chance) => ({ everyMs: chance.between(100, 1000), direction: chance.pick(['upstream', 'downstream']) }) },
    { strike: 'go-away', with: (chance) => ({ everyMs: chance.between(100, 1000), code: chance.pick(['no-error', 'enhance-your-calm']) }) },
    { strike: 'slow-close', with: (chance) => ({ lateMs: chance.between(100, 2000), everyMs: chance.between(200, 2000) }) },
    { strike: 'reply-cut', roles: ['all'], with: (chance) => ({ everyMs: chance.between(50, 500) }) },
  ],
  storage: [
    { strike: 'slow-disk', roles: writers, with: (chance) => ({ delayMs: chance.between(20, 500) }) },
    { strike: 'sync-error', roles: writers, with: () => ({ times: 1 }) },
    { strike: 'write-error', roles: writers, with: (chance) => ({ times: 1, code: chance.pick(['EIO', 'ENOSPC']) }) },
    { strike: 'short-write', roles: writers, with: () => ({ times: 1 }) },
    { strike: 'stall', roles: writers },
  ],
  membership: [{ strike: 'move-replica', roles: ['leader', 'follower'], forMsMin: 10_000 }],
  load: [
    { strike: 'overload', with: (chance) => ({ factor: chance.between(5, 20) }) },
    { strike: 'slow-consumer' },
    { strike: 'retry-storm', with: (chance) => ({ copies: chance.between(1, 8) }) },
    { strike: 'crash-producer', with: (chance) => ({ everyMs: chance.between(200, 1500) }) },
  ],
};

const ttlMs = 60_000;

export function drawStrike(chance: Chance, family: DrawnFamily, aim: Aim, forMs: number): Strike {
  const draw = chance.pick(draws[family]);
  const target = aim === 'any-role' ? chance.pick(draw.roles ?? roles) : aim;
  return { strike: draw.strike, target, with: draw.with?.(chance) ?? {}, forMs: Math.max(forMs, draw.forMsMin ?? 0), ttlMs };
}
