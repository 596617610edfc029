import { didYouMean } from '@balsa/node/core/machines/metadata/did-you-mean.ts';
import type { TopicConfig } from '@balsa/node/core/machines/metadata/topic-settings.ts';
import {
  changeTopicConfig,
  effectiveTopicSettings,
  topicSettingNames,
  topicSettings,
} from '@balsa/node/core/machines/metadata/topic-settings.ts';
import { describe, expect, test } from 'vitest';

const none: TopicConfig = new Map();

function messageOf(changes: Record<string, string>): string | undefined {
  const change = changeTopicConfig(none, Object.entries(changes));
  return change.ok ? undefined : change.message;
}

describe('the table', () => {
  test.each(topicSettingNames)('%s has help, and a default that it allows', (name) => {
    const setting = topicSettings[name];
    expect(setting.help).toMatch(/^[A-Z].*\.$/);
    expect(messageOf({ [name]: setting.default })).toBeUndefined();
  });

  test('names are sorted and complete', () => {
    expect(topicSettingNames).toEqual(Object.keys(topicSettings).toSorted());
  });
});

test('settings in force are the defaults, with what was changed', () => {
  expect(effectiveTopicSettings(none)).toEqual({
    retentionMs: 604_800_000,
    retentionBytes: undefined,
    recordBytesMax: 1_048_576,
    batchBytesMax: 8_388_608,
  });
  const change = changeTopicConfig(
    none,
    Object.entries({
      'retention.ms': '-1',
      'retention.bytes': '99',
      'record.bytes.max': '2000',
      'batch.bytes.max': '3000',
    }),
  );
  expect(change.ok && effectiveTopicSettings(change.config)).toEqual({
    retentionMs: undefined,
    retentionBytes: 99,
    recordBytesMax: 2000,
    batchBytesMax: 3000,
  });
});

describe('values', () => {
  test.each([
    ['retention.ms', '1'],
    ['retention.ms', '9007199254740991'],
    ['retention.bytes', '-1'],
    ['batch.bytes.max', '33554432'],
    ['record.bytes.max', '1024'],
  ])('%s = %s is allowed', (name, value) => {
    expect(messageOf({ [name]: value })).toBeUndefined();
  });

  test.each([
    ['retention.ms', '0'],
    ['retention.ms', '-2'],
    ['retention.ms', '9007199254740992'],
    ['retention.ms', '1e3'],
    ['retention.ms', '01'],
    ['retention.ms', ' 1'],
    ['retention.ms', '1\n'],
    ['retention.ms', '1.5'],
    ['batch.bytes.max', '33554433'],
    ['batch.bytes.max', '-1'],
    ['record.bytes.max', '1023'],
    ['retention.bytes', '0'],
    ['retention.bytes', 'never'],
  ])('%s = %j is not, and the message names both and what is', (name, value) => {
    expect(messageOf({ [name]: value })).toMatch(new RegExp(`${name.replaceAll('.', '\\.')} cannot be .*: it is a whole number from`));
  });

  test('a record larger than a batch is refused, in whichever order they are set', () => {
    expect(messageOf({ 'record.bytes.max': '2000000', 'batch.bytes.max': '1999999' })).toContain('above batch.bytes.max');
    expect(messageOf({ 'record.bytes.max': '9000000' })).toContain('above batch.bytes.max');
    expect(messageOf({ 'record.bytes.max': '9000000', 'batch.bytes.max': '9000000' })).toBeUndefined();
  });

  test('a long foreign value is cut in the message', () => {
    expect(messageOf({ 'retention.ms': 'x'.repeat(10_000) })?.length).toBeLessThan(200);
  });
});

describe('changes', () => {
  const given: TopicConfig = new Map([['retention.ms', '5000']]);

  test('an empty value and the default itself both leave the default', () => {
    for (const value of ['', '604800000']) expect(changeTopicConfig(given, [['retention.ms', value]])).toEqual({ ok: true, config: none });
  });

  test('do not touch the configuration they start from', () => {
    changeTopicConfig(given, [['retention.bytes', '6000']]);
    expect(given).toEqual(new Map([['retention.ms', '5000']]));
  });

  test.each([
    ['flush', 'There is no topic setting "flush". Known are batch.bytes.max, '],
    ['compression', 'There is no topic setting "compression". Known are batch.bytes.max, '],
    ['retention', 'Did you mean retention.ms?'],
    ['retention.mss', 'Did you mean retention.ms?'],
    ['Retention.MS', 'Did you mean retention.ms?'],
    ['retention.byte', 'Did you mean retention.bytes?'],
    ['max.batch.bytes', 'Known are'],
    ['__proto__', 'Known are'],
    ['toString', 'Known are'],
    ['', 'Known are'],
  ])('%j is unknown: %s', (name, hint) => {
    const change = changeTopicConfig(none, [[name, '1']]);
    expect(change).toMatchObject({ ok: false, message: expect.stringContaining(hint) });
  });
});

test('the nearest word is meant, the first of equals, none if all are far or the word is long', () => {
  expect(didYouMean('flsh', ['flush', 'flash'])).toBe('flush');
  expect(didYouMean('flah', ['flush', 'flash'])).toBe('flash');
  expect(didYouMean('flxxush', ['flush'])).toBe('flush');
  expect(didYouMean('fsh', ['flush'])).toBe('flush');
  expect(didYouMean('cat', ['elephant'])).toBeUndefined();
  expect(didYouMean('x'.repeat(65), ['x'.repeat(64)])).toBeUndefined();
  expect(didYouMean('', ['abc'])).toBeUndefined();
});
