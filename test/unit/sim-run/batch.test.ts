/** Batches: who runs which seed, when no further one is begun, and what they come to together. */
import { describe, expect, it } from 'vitest';
import { requestsOf, runBatch } from '../../sim/run/batch.ts';
import { coverageTable } from '../../sim/run/coverage.ts';
import { failureText, progressLine, summaryText } from '../../sim/run/report.ts';
import { drawOptions } from '../../sim/nemesis/swarm.ts';
import { createStreams } from '../../sim/world/random-streams.ts';
import { lostOutcome, type SeedOutcome, type SeedRequest } from '../../sim/run/seed-outcome.ts';
import { unreached } from '../../sim/run/sometimes.ts';
import { addOutcome, createTally, firstOfEachRule } from '../../sim/run/tally.ts';

const calm = new AbortController().signal;
const outcomeOf = ({ seed, overrides }: SeedRequest, rule?: string): SeedOutcome => ({
  seed,
  overrides,
  options: { ...drawOptions(seed, createStreams(seed)('swarm')), ...overrides },
  failure: rule === undefined ? undefined : { rule, reason: `because of ${seed}` },
  traceHash: `hash-${seed}`,
  counts: new Map([
    ['fault-kill', 1],
    [`only-${seed}`, 2],
  ]),
  virtualMs: 20_000,
  events: 1000,
});

/** Processes that answer in the order in which `answer` is called. */
function manualProcess() {
  const waiting: { readonly request: SeedRequest; readonly answer: (outcome: SeedOutcome) => void }[] = [];
  return {
    waiting,
    run: (request: SeedRequest): Promise<SeedOutcome> => new Promise((answer) => waiting.push({ request, answer })),
  };
}

describe('a batch', () => {
  it('runs the corpus first, as it stands there, then the seeds in order', () => {
    const corpus = [{ seed: 90, overrides: { nodes: 5 } }];
    const requests = [...requestsOf(corpus, { from: 7, count: 2 }, { partitions: 1 })];
    expect(requests).toEqual([
      { seed: 90, overrides: { nodes: 5 } },
      { seed: 7, overrides: { partitions: 1 } },
      { seed: 8, overrides: { partitions: 1 } },
    ]);
  });

  it('a process gets the next seed when it has done with one, and no other waits for it', async () => {
    const [slow, quick] = [manualProcess(), manualProcess()];
    const done: number[] = [];
    const batch = runBatch({
      requests: requestsOf([], { from: 1, count: 4 }, {}),
      processes: [slow, quick],
      isOver: () => false,
      broken: calm,
      onOutcome: ({ seed }) => done.push(seed),
    });
    for (let seed = 2; seed <= 4; seed++) {
      await expect.poll(() => quick.waiting.at(-1)?.request.seed).toBe(seed);
      quick.waiting.at(-1)?.answer(outcomeOf({ seed, overrides: {} }));
    }
    await expect.poll(() => done).toEqual([2, 3, 4]);
    slow.waiting[0]?.answer(outcomeOf({ seed: 1, overrides: {} }));
    await batch;
    expect(done).toEqual([2, 3, 4, 1]);
    expect(slow.waiting).toHaveLength(1);
  });

  it('begins nothing once it is over, but counts what was under way, a run that hangs included', async () => {
    const process = manualProcess();
    const failures: (string | undefined)[] = [];
    let isOver = false;
    const batch = runBatch({
      requests: requestsOf([], { from: 1 }, {}),
      processes: [process],
      isOver: () => isOver,
      broken: calm,
      onOutcome: ({ failure }) => failures.push(failure?.rule),
    });
    isOver = true;
    process.waiting[0]?.answer(lostOutcome({ seed: 1, overrides: {} }, { rule: 'hangs', reason: '' }));
    await batch;
    expect(failures).toEqual(['hangs']);
    expect(process.waiting).toHaveLength(1);
  });

  it('says nothing of a run that was broken off', async () => {
    const process = manualProcess();
    const abort = new AbortController();
    const seen: number[] = [];
    const batch = runBatch({
      requests: requestsOf([], { from: 1 }, {}),
      processes: [process],
      isOver: () => false,
      broken: abort.signal,
      onOutcome: ({ seed }) => seen.push(seed),
    });
    abort.abort();
    process.waiting[0]?.answer(lostOutcome({ seed: 1, overrides: {} }, { rule: 'the process ended', reason: '' }));
    await batch;
    expect(seen).toEqual([]);
  });
});

describe('what a batch came to', () => {
  const tally = createTally();
  addOutcome(tally, outcomeOf({ seed: 1, overrides: {} }), true);
  addOutcome(tally, outcomeOf({ seed: 2, overrides: {} }, 'I-R4'), true);
  addOutcome(tally, outcomeOf({ seed: 3, overrides: { nodes: 5 } }, 'I-R4'), true);
  addOutcome(tally, outcomeOf({ seed: 4, overrides: {} }, 'I-L1'), true);
  const pace = { elapsedMs: 2000, workers: 2 };

  it('adds up', () => {
    expect(tally).toMatchObject({ seeds: 4, plainSeeds: 3, virtualMs: 80_000, events: 4000 });
    expect([...tally.counts]).toEqual([
      ['fault-kill', 4],
      ['only-1', 2],
      ['only-2', 2],
      ['only-3', 2],
      ['only-4', 2],
    ]);
    expect(tally.traceHashes.map(({ hash }) => hash)).toEqual(['hash-1', 'hash-2', 'hash-3', 'hash-4']);
    expect(firstOfEachRule(tally).map(({ seed }) => seed)).toEqual([2, 4]);
  });

  it('is told with each rule, its number, and the line that repeats it', () => {
    const text = summaryText(tally, { ...pace, commit: 'abc', unreached: ['fault-split'], cutShort: undefined });
    expect(text).toContain('4 seeds on 2 processes in 2.0 s: 2.0 seeds/s, 40 virtual s/s');
    expect(text).toContain('FAILED: no seed reached fault-split');
    expect(text).toContain('    2 x I-R4\n        npx balsa-sim --seed 2  # commit abc');
    expect(text).not.toContain('all passed');
    expect(progressLine(tally, pace, 'of 9 seeds')).toContain('4 of 9 seeds, 3 failed');
  });

  it('a failure is told with its rule, its reason and one line that repeats it', () => {
    const failed = tally.failed[1]!;
    const text = failureText({ failed, commit: 'abc', note: 'seen before', full: false });
    expect(text).toBe(
      'FAILED seed 3 after 20.0 virtual s: I-R4 (in the corpus: seen before)\n  because of 3\n  npx balsa-sim --seed 3 --nodes 5  # commit abc\n',
    );
    const long = { ...failed, failure: { rule: 'r', reason: 'x'.repeat(2000) } };
    expect(failureText({ failed: long, commit: '', note: undefined, full: false }).length).toBeLessThan(600);
    expect(failureText({ failed: long, commit: '', note: undefined, full: true })).toContain('x'.repeat(2000));
  });

  it('the table of what was met names every counter once', () => {
    const counts = new Map([
      ['history-send-invoke', 6],
      ['history-send-ok', 3],
      ['history-send-fail', 2],
      ['history-send-info', 1],
      ['fault-kill', 1234],
      ['disk-full', 1],
      ['drained', 5],
    ]);
    expect(coverageTable(counts)).toBe(
      'operations  send 3 ok / 2 failed / 1 unknown\nfaults      kill 1,234\ndisks       full 1\nothers      drained 5',
    );
  });
});

describe('what must be met sometimes', () => {
  const expected = [
    { name: 'a', seedsMin: 500 },
    { name: 'b', seedsMin: 500 },
    { name: 'rare', seedsMin: 2000 },
  ];
  it('is named if a large batch never met it', () => {
    expect(unreached(new Map([['a', 1]]), 500, expected)).toEqual(['b']);
    expect(unreached(new Map([['a', 1]]), 2000, expected)).toEqual(['b', 'rare']);
    expect(unreached(new Map(), 499, expected)).toEqual([]);
    expect(unreached(new Map([['a', 0]]), 600, expected)).toEqual(['a', 'b']);
  });
});
