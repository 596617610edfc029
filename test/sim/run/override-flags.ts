/**
 * The command line's form of what a run may have otherwise than its seed drew. What is printed
 * can be read again: the line that reproduces a failure is made of it.
 */
import { configSchema } from '@balsa/node/config/schema.ts';
import { defaultHostLimits } from '@balsa/node/host/options.ts';
import { type FaultClass, faultClasses, type SwarmOptions } from '../nemesis/swarm.ts';
import type { NodeTuning } from '../world/node-config.ts';
import type { Overrides } from './seed-outcome.ts';

/** A mistake on the command line, or in a file that has the form of one. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

interface Flag<Value> {
  /** With the word for its argument. */
  readonly flag: string;
  readonly help: string;
  readonly parse: (text: string) => Value;
  readonly print: (value: Value) => string;
}

type OptionName = Exclude<keyof SwarmOptions, 'seed'>;

const none = 'none';

const number = (flag: string, help: string, min: number, max: number): Flag<number> => ({
  flag: `--${flag} <n>`,
  help,
  parse: (text) => wholeNumber(`--${flag}`, text, min, max),
  print: String,
});

const truth = (flag: string, help: string): Flag<boolean> => ({
  flag: `--${flag} <yes|no>`,
  help,
  parse: (text) => {
    if (text === 'yes' || text === 'no') return text === 'yes';
    throw new UsageError(`--${flag} is ${text}; it must be yes or no`);
  },
  print: (value) => (value ? 'yes' : 'no'),
});

export function wholeNumber(flag: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= min && value <= max) return value;
  const range = max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`;
  throw new UsageError(`${flag} is ${text}; it must be a whole number ${range}`);
}

const minuteMs = 60_000;

/** One for each of the options, so that every run can be written down. */
export const flags: { readonly [Name in OptionName]: Flag<SwarmOptions[Name]> } = {
  faults: {
    flag: '--faults <a,b|none>',
    help: 'classes of faults that may strike',
    parse: (text) => (text === none ? [] : text.split(',').map(faultClass)),
    print: (faults) => (faults.length === 0 ? none : faults.join()),
  },
  nodes: number('nodes', 'brokers', 1, 7),
  partitions: number('partitions', 'partitions of the topic', 1, 16),
  producers: number('producers', 'clients that write', 0, 16),
  consumers: number('consumers', 'clients that read', 0, 16),
  topicChurn: truth('topic-churn', 'another topic is created and deleted all the time'),
  retentionBytes: {
    flag: '--retention-bytes <n|none>',
    help: 'bytes that a partition keeps',
    parse: (text) => (text === none ? undefined : wholeNumber('--retention-bytes', text, 1, Number.MAX_SAFE_INTEGER)),
    print: (bytes) => (bytes === undefined ? none : String(bytes)),
  },
  tuning: {
    flag: '--tuning <a.b=n,...|none>',
    help: 'settings of the brokers that are not the default',
    parse: (text) => (text === none ? {} : tuningOf(text.split(',').map(tuningEntry))),
    print: (tuning) =>
      tuningEntries(tuning)
        .map(({ section, name, value }) => `${section}.${name}=${JSON.stringify(value)}`)
        .join() || none,
  },
  safetyMs: number('safety-ms', 'virtual time in which faults strike', 0, 24 * 60 * minuteMs),
  faultPauseMsMax: number('fault-pause-ms', 'longest pause between two faults', 1, 60 * minuteMs),
  faultMsMax: number('fault-ms', 'longest time until a fault heals', 100, 60 * minuteMs),
  latencyMsMax: number('latency-ms', 'longest latency of the network', 0, minuteMs),
  syncMsMax: number('sync-ms', 'longest time that an fsync takes', 0, minuteMs),
  driftPerMille: number('drift', 'per mille by which clocks run fast or slow', 0, 500),
  deadAtEnd: number('dead-at-end', 'brokers that stay dead after the faults', 0, 3),
  restartBeforeDrain: truth('restart', 'all brokers lose power together before everything is read'),
};

export const optionNames = Object.keys(flags) as OptionName[];

/** `--faults` of `--faults <a,b>`. */
const flagOf = (name: OptionName): string => flags[name].flag.split(' ')[0] ?? '';

/** In the order of the table, whatever the order in `overrides`. */
export function printOverrides(overrides: Overrides): string {
  return optionNames.flatMap((name) => printOne(name, overrides)).join(' ');
}

function printOne<Name extends OptionName>(name: Name, overrides: Overrides): string[] {
  if (!(name in overrides)) return [];
  const { print }: Flag<SwarmOptions[Name]> = flags[name];
  return [flagOf(name), print(overrides[name] as SwarmOptions[Name])];
}

/** Reads what `printOverrides` wrote. */
export function parseOverrides(text: string): Overrides {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const overrides: Overrides = {};
  for (let place = 0; place < words.length; place += 2) {
    const word = words[place];
    const name = optionNames.find((each) => flagOf(each) === word);
    const value = words[place + 1];
    if (name === undefined) throw new UsageError(`${word} is none of ${optionNames.map(flagOf).join(', ')}`);
    if (value === undefined) throw new UsageError(`${word} has no value`);
    Object.assign(overrides, { [name]: flags[name].parse(value) });
  }
  return overrides;
}

function faultClass(text: string): FaultClass {
  const known = faultClasses.find((name) => name === text);
  if (known === undefined) throw new UsageError(`--faults: ${text} is none of ${faultClasses.join(', ')}`);
  return known;
}

export interface TuningEntry {
  readonly section: string;
  readonly name: string;
  readonly value: unknown;
}

export function tuningEntries(tuning: NodeTuning): TuningEntry[] {
  return Object.entries(tuning).flatMap(([section, values]) =>
    Object.entries(values ?? {}).map(([name, value]) => ({ section, name, value: value as unknown })),
  );
}

export function tuningOf(entries: readonly TuningEntry[]): NodeTuning {
  const tuning: Record<string, Record<string, unknown>> = {};
  for (const { section, name, value } of entries) tuning[section] = { ...tuning[section], [name]: value };
  return tuning;
}

function tuningEntry(text: string): TuningEntry {
  const [, section, name, value] = /^(\w+)\.(\w+)=(.+)$/.exec(text) ?? [];
  if (section === undefined || name === undefined || value === undefined) {
    throw new UsageError(`--tuning: ${text} does not look like journal.segmentBytes=65536`);
  }
  const { raft, journal, limits, maintenance } = configSchema.parse({});
  const sections: Readonly<Record<string, object>> = { raft, journal, limits, maintenance, host: defaultHostLimits };
  if (!(name in (sections[section] ?? {}))) throw new UsageError(`--tuning: there is no setting ${section}.${name}`);
  try {
    return { section, name, value: JSON.parse(value) as unknown };
  } catch {
    throw new UsageError(`--tuning: ${text} has no number or truth value`);
  }
}
