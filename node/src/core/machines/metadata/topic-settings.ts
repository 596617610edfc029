/**
 * Settings of a topic: one table from which validation, defaults, help and documents
 * come. Names and meanings follow Kafka where it has them.
 *
 * The state keeps only what differs from the defaults, as text. A new setting, or a wider
 * range, changes what the metadata machine accepts and needs a feature level in the log.
 */
import { didYouMean } from './did-you-mean.ts';

/** All settings are whole numbers. */
export interface TopicSetting {
  readonly default: string;
  /** Both inclusive. */
  readonly min: number;
  readonly max: number;
  /** -1 means "no limit" and is allowed besides the range. */
  readonly unlimited: boolean;
  /** What it does, for a person. */
  readonly help: string;
}

export type TopicSettingName = 'retention.ms' | 'retention.bytes' | 'record.bytes.max' | 'batch.bytes.max';

const mebibyte = 1024 * 1024;

export const topicSettings: Readonly<Record<TopicSettingName, TopicSetting>> = {
  'retention.ms': {
    default: String(7 * 24 * 3600 * 1000),
    min: 1,
    max: Number.MAX_SAFE_INTEGER,
    unlimited: true,
    help: 'Milliseconds for which records are kept; -1 keeps them for ever.',
  },
  'retention.bytes': {
    default: '-1',
    min: 1,
    max: Number.MAX_SAFE_INTEGER,
    unlimited: true,
    help: 'Bytes of each partition beyond which the oldest records are removed; -1 sets no limit.',
  },
  'record.bytes.max': {
    default: String(mebibyte),
    min: 1024,
    max: 32 * mebibyte,
    unlimited: false,
    help: 'Largest record that producers may send, in bytes; not above batch.bytes.max.',
  },
  'batch.bytes.max': {
    default: String(8 * mebibyte),
    min: 1024,
    max: 32 * mebibyte,
    unlimited: false,
    help: 'Largest record batch that the broker accepts, in bytes, as compressed by the producer.',
  },
};

export const topicSettingNames: readonly TopicSettingName[] = Object.keys(topicSettings).toSorted() as TopicSettingName[];

/** Settings that differ from the defaults, by name. */
export type TopicConfig = ReadonlyMap<TopicSettingName, string>;

/** The settings in force, typed; undefined means no limit. */
export interface EffectiveTopicSettings {
  readonly retentionMs: number | undefined;
  readonly retentionBytes: number | undefined;
  readonly recordBytesMax: number;
  readonly batchBytesMax: number;
}

export type ConfigChange = { readonly ok: true; readonly config: TopicConfig } | { readonly ok: false; readonly message: string };

/** `config` with `changes` made to it; an empty value returns a setting to its default. All changes or none are made. */
export function changeTopicConfig(config: TopicConfig, changes: readonly (readonly [name: string, value: string])[]): ConfigChange {
  const changed = new Map(config);
  for (const [name, value] of changes) {
    if (!isTopicSettingName(name)) return { ok: false, message: describeUnknown(name) };
    const fault = value === '' ? undefined : settingFault(topicSettings[name], value);
    if (fault !== undefined) return { ok: false, message: `The topic setting ${name} cannot be ${quote(value)}: ${fault}` };
    if (value === '' || value === topicSettings[name].default) changed.delete(name);
    else changed.set(name, value);
  }
  const message = combinationFault(effectiveTopicSettings(changed));
  return message === undefined ? { ok: true, config: changed } : { ok: false, message };
}

export function effectiveTopicSettings(config: TopicConfig): EffectiveTopicSettings {
  const text = (name: TopicSettingName): string => config.get(name) ?? topicSettings[name].default;
  const limit = (name: TopicSettingName): number | undefined => (text(name) === '-1' ? undefined : Number(text(name)));
  return {
    retentionMs: limit('retention.ms'),
    retentionBytes: limit('retention.bytes'),
    recordBytesMax: Number(text('record.bytes.max')),
    batchBytesMax: Number(text('batch.bytes.max')),
  };
}

function isTopicSettingName(name: string): name is TopicSettingName {
  return Object.hasOwn(topicSettings, name);
}

/** Why `value` is not allowed, and what is; undefined if it is fine. */
function settingFault({ min, max, unlimited }: TopicSetting, value: string): string | undefined {
  if (unlimited && value === '-1') return undefined;
  // One spelling per number, so that equal configurations have equal bytes.
  const isInRange = /^(0|[1-9][0-9]{0,15})$/.test(value) && Number(value) >= min && Number(value) <= max;
  return isInRange ? undefined : `it is a whole number from ${min} to ${max}${unlimited ? ', or -1 for no limit' : ''}.`;
}

function combinationFault(settings: EffectiveTopicSettings): string | undefined {
  if (settings.recordBytesMax <= settings.batchBytesMax) return undefined;
  return (
    `The topic setting record.bytes.max (${settings.recordBytesMax}) is above batch.bytes.max (${settings.batchBytesMax}), ` +
    'but a record travels in a batch. Lower the one or raise the other.'
  );
}

function describeUnknown(name: string): string {
  const meant = didYouMean(name, topicSettingNames);
  const hint = meant === undefined ? `Known are ${topicSettingNames.join(', ')}.` : `Did you mean ${meant}?`;
  return `There is no topic setting ${quote(name)}. ${hint}`;
}

/** Foreign text in a message: bounded, and on one line. */
function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
}
