/** The minimiser on failures whose cause is known: it must leave the cause and nothing else. */
import { describe, expect, it } from 'vitest';
import { drawOptions, type FaultClass, faultClasses, type SwarmOptions } from '../../sim/nemesis/swarm.ts';
import { type FailedRun, minimise, type MinimisePlan } from '../../sim/run/minimise.ts';
import type { Overrides } from '../../sim/run/seed-outcome.ts';
import { createStreams } from '../../sim/world/random-streams.ts';

const drawn: SwarmOptions = {
  ...drawOptions(1, createStreams(1)('swarm')),
  nodes: 5,
  partitions: 3,
  producers: 3,
  consumers: 2,
  faults: faultClasses,
  safetyMs: 20_000,
  latencyMsMax: 60,
  syncMsMax: 40,
  driftPerMille: 50,
  retentionBytes: 4096,
  topicChurn: true,
  tuning: { journal: { segmentBytes: 65_536, cacheBytes: 2048 }, host: { checkpointCommands: 5 }, raft: { appendBytesMax: 256 } },
  deadAtEnd: 1,
  restartBeforeDrain: true,
};

/** A world in which `fails` says when a run fails, if it does. */
function worldOf(fails: (options: SwarmOptions) => number | undefined, rule = 'I-R4') {
  const attempts: Overrides[] = [];
  const runOf = (overrides: Overrides): FailedRun | undefined => {
    const options = { ...drawn, ...overrides };
    const virtualMs = fails(options);
    return virtualMs === undefined ? undefined : { options, failure: { rule, reason: 'facts' }, virtualMs };
  };
  const plan = (attemptsMax = 1000): MinimisePlan => ({
    overrides: {},
    failed: runOf({})!,
    attempt: (overrides) => {
      attempts.push(overrides);
      return Promise.resolve(runOf(overrides));
    },
    attemptsMax,
  });
  return { plan, attempts };
}

const has = ({ faults }: SwarmOptions, ...wanted: FaultClass[]): boolean => wanted.every((fault) => faults.includes(fault));

describe('the minimiser', () => {
  it('leaves nothing of a run that always fails', async () => {
    const { plan } = worldOf(() => 900);
    const { failed, complete } = await minimise(plan());
    expect(complete).toBe(true);
    expect(failed.options).toMatchObject({
      nodes: 1,
      partitions: 1,
      producers: 0,
      consumers: 0,
      faults: [],
      safetyMs: 0,
      latencyMsMax: 0,
      syncMsMax: 0,
      driftPerMille: 0,
      retentionBytes: undefined,
      topicChurn: false,
      tuning: {},
      deadAtEnd: 0,
      restartBeforeDrain: false,
    });
  });

  it('leaves the faults and the setting that the failure needs', async () => {
    const { plan } = worldOf((options) =>
      has(options, 'pause', 'disk-full') && options.tuning.journal?.segmentBytes === 65_536 && options.producers >= 2 ? 21_000 : undefined,
    );
    const { failed, complete } = await minimise(plan());
    expect(complete).toBe(true);
    expect(failed.options.faults).toEqual(['pause', 'disk-full']);
    expect(failed.options.tuning).toEqual({ journal: { segmentBytes: 65_536 } });
    expect(failed.options).toMatchObject({ producers: 2, consumers: 0, nodes: 1, partitions: 1, topicChurn: false });
  });

  it('cuts the safety phase to what is needed', async () => {
    const { plan, attempts } = worldOf(({ safetyMs }) => (safetyMs >= 7300 ? 7900 : undefined));
    const { failed } = await minimise(plan());
    expect(attempts[0]).toEqual({ safetyMs: 8000 });
    expect(failed.options.safetyMs).toBe(7500);
  });

  it('another rule is another failure', async () => {
    const { plan } = worldOf(() => 900);
    const other: MinimisePlan = {
      ...plan(),
      attempt: () => Promise.resolve({ options: drawn, failure: { rule: 'I-L1', reason: '' }, virtualMs: 5 }),
    };
    const { overrides, failed } = await minimise(other);
    expect(overrides).toEqual({});
    expect(failed.failure.rule).toBe('I-R4');
  });

  it('exceptions are told apart by what they say, numbers aside', async () => {
    const { plan } = worldOf(() => 900, 'an exception that nobody caught');
    const say = (text: string): MinimisePlan => ({
      ...plan(),
      attempt: (overrides) =>
        Promise.resolve({
          options: { ...drawn, ...overrides },
          failure: { rule: 'an exception that nobody caught', reason: text },
          virtualMs: 900,
        }),
    });
    expect((await minimise(say('another thing'))).overrides).toEqual({});
    const failed = { ...plan().failed, failure: { rule: 'an exception that nobody caught', reason: 'at 12 bytes\nstack' } };
    expect((await minimise({ ...say('at 7 bytes\nother stack'), failed })).overrides).not.toEqual({});
  });

  it('keeps within its attempts, and says that it is not done', async () => {
    const { plan, attempts } = worldOf((options) => (has(options, 'kill') ? 20_500 : undefined));
    const { complete } = await minimise(plan(10));
    expect(attempts).toHaveLength(10);
    expect(complete).toBe(false);
    const { failed } = await minimise({ ...plan(), isOver: () => true });
    expect(failed.options).toEqual(drawn);
  });

  it('keeps what the command line overrode', async () => {
    const failed: FailedRun = { options: { ...drawn, faultMsMax: 777 }, failure: { rule: 'I-R4', reason: '' }, virtualMs: 900 };
    const attempt: MinimisePlan['attempt'] = (overrides) =>
      Promise.resolve(overrides.faultMsMax === 777 ? { ...failed, options: { ...failed.options, ...overrides } } : undefined);
    const { overrides } = await minimise({ attemptsMax: 500, overrides: { faultMsMax: 777 }, failed, attempt });
    expect(overrides).toMatchObject({ faultMsMax: 777, faults: [] });
  });
});
