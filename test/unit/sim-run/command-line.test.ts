/** The command line of the simulation, and the forms of overrides that it shares with the corpus and the reproduction line. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawOptions } from '../../sim/nemesis/swarm.ts';
import { type CliSurroundings, parseCommandLine } from '../../sim/run/cli.ts';
import { corpusFile, parseCorpus, readCorpus } from '../../sim/run/corpus.ts';
import { optionNames, parseOverrides, printOverrides, UsageError } from '../../sim/run/override-flags.ts';
import { reproductionLine } from '../../sim/run/reproduction.ts';
import { createStreams } from '../../sim/world/random-streams.ts';

let printed = '';
const surroundings: CliSurroundings = {
  cores: 3,
  wallMs: 1_700_000_000_000,
  writeOut: (text) => {
    printed += text;
  },
  columns: 100,
};
const parse = (line: string) => parseCommandLine(line.split(' ').filter(Boolean), surroundings);
const drawn = (seed: number) => {
  const { seed: _seed, ...options } = drawOptions(seed, createStreams(seed)('swarm'));
  return options;
};

describe('the command line', () => {
  it('is a small batch by default', () => {
    expect(parse('')).toEqual({
      kind: 'batch',
      from: 1,
      count: 100,
      durationMs: undefined,
      maxFailures: 20,
      corpus: corpusFile,
      overrides: {},
      workers: 3,
      limitMs: 120_000,
      traceHash: false,
      minimise: false,
      json: false,
    });
  });

  it('takes fresh seeds and goes on after failures if it has minutes', () => {
    const request = parse('--minutes 2 --no-corpus --workers 1 --limit 5');
    expect(request).toMatchObject({ from: surroundings.wallMs, count: undefined, durationMs: 120_000, corpus: undefined });
    expect(request).toMatchObject({ workers: 1, limitMs: 5000, maxFailures: Number.MAX_SAFE_INTEGER });
    expect(parse('--minutes 2 --from 5 --seeds 9 --max-failures 1')).toMatchObject({ from: 5, count: 9, maxFailures: 1 });
  });

  it('one seed, with overrides', () => {
    const request = parse('--seed 0 --trace --faults kill,split --retention-bytes none --topic-churn no --tuning raft.appendBytesMax=256');
    expect(request).toMatchObject({ kind: 'single', seed: 0, trace: true });
    expect(request?.overrides).toEqual({
      faults: ['kill', 'split'],
      retentionBytes: undefined,
      topicChurn: false,
      tuning: { raft: { appendBytesMax: 256 } },
    });
  });

  it.each([
    ['--sedes 3', 'unknown option'],
    ['seven', 'too many arguments'],
    ['--seed', 'argument missing'],
    ['--seed 1.5', 'whole number'],
    ['--seed -1', 'whole number'],
    ['--seeds 0', 'from 1'],
    ['--workers none', 'whole number'],
    ['--seed 1 --seeds 2', '--seed and --seeds exclude each other'],
    ['--seed 1 --minutes 2', '--seed and --minutes exclude each other'],
    ['--trace', '--trace needs --seed'],
    ['--seed 1 --trace --json', 'exclude each other'],
    ['--faults kil', 'none of kill'],
    ['--topic-churn maybe', 'yes or no'],
    ['--nodes 99', 'from 1 to 7'],
    ['--tuning journal', 'journal.segmentBytes=65536'],
    ['--tuning journal.nothing=1', 'no setting journal.nothing'],
    ['--tuning journal.segmentBytes=big', 'no number'],
  ])('%s is a mistake', (line, message) => {
    expect(() => parse(line)).toThrow(UsageError);
    expect(() => parse(line)).toThrow(message);
  });

  it('shows examples and every flag of an override', () => {
    printed = '';
    expect(parse('--help')).toBeUndefined();
    expect(printed).toContain('npx balsa-sim --seed 7');
    for (const flag of printOverrides(drawn(1)).match(/--[a-z-]+/g) ?? []) expect(printed).toContain(flag);
  });
});

describe('overrides', () => {
  it('there is a flag for everything that a seed draws', () => {
    expect(optionNames.toSorted()).toEqual(Object.keys(drawn(1)).toSorted());
  });

  it('what is printed is read again', () => {
    fc.assert(
      fc.property(fc.nat(), fc.subarray(optionNames), (seed, names) => {
        const options = drawn(seed);
        const overrides = Object.fromEntries(names.map((name) => [name, options[name]]));
        const again = parseOverrides(printOverrides(overrides));
        expect(Object.keys(again).toSorted()).toEqual(Object.keys(overrides).toSorted());
        // Sections of the settings without an entry say nothing.
        expect(JSON.stringify(again)).toBe(JSON.stringify(parseOverrides(printOverrides(again))));
        for (const name of names.filter((each) => each !== 'tuning')) expect(again[name]).toEqual(options[name]);
        if (names.includes('tuning')) expect(printOverrides({ tuning: again.tuning! })).toBe(printOverrides({ tuning: options.tuning }));
      }),
    );
  });

  it('the line that repeats a run is a command line of that run', () => {
    const overrides = { faults: ['kill' as const], safetyMs: 1500, retentionBytes: undefined };
    const line = reproductionLine({ seed: 12, overrides }, 'abc123');
    expect(line).toBe('npx balsa-sim --seed 12 --faults kill --retention-bytes none --safety-ms 1500  # commit abc123');
    expect(parse(line.replace(/^npx balsa-sim /, '').replace(/ +#.*/, ''))).toMatchObject({ kind: 'single', seed: 12, overrides });
  });
});

describe('the corpus', () => {
  it('of this repository can be read', () => {
    const entries = readCorpus(corpusFile);
    expect(entries).toHaveLength((JSON.parse(readFileSync(corpusFile, 'utf8')) as unknown[]).length);
    expect(new Set(entries.map(({ seed, overrides }) => `${seed} ${printOverrides(overrides)}`)).size).toBe(entries.length);
  });

  it.each([
    ['{}', 'a corpus is a list'],
    ['[{"note":"x"}]', 'entry 1 has no seed'],
    ['[{"seed":1,"note":"x"},{"seed":2}]', 'entry 2 has no note'],
    ['[{"seed":1,"note":"x","overrides":{"nodes":1}}]', 'as on the command line'],
    ['[{"seed":1,"note":"x","override":"--nodes 1"}]', 'there is no override'],
    ['[{"seed":1,"note":"x","overrides":"--nods 1"}]', '--nods is none of'],
    ['[{"seed":1,"note":"x","overrides":"--nodes"}]', '--nodes has no value'],
  ])('%s is a mistake', (text, message) => {
    expect(() => parseCorpus(text)).toThrow(message);
  });

  it('a file that is not there is a mistake of usage', () => {
    expect(() => readCorpus('/nowhere/corpus.json')).toThrow(UsageError);
  });
});
