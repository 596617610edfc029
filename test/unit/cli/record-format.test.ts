import { describe, expect, test } from 'vitest';
import { compileRecordFormat, recordJson, unescape } from '../../../client/cli/format/record-format.ts';
import type { PrintableRecord } from '../../../client/cli/format/record-format.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const record: PrintableRecord = {
  topic: 'orders',
  partition: 3,
  offset: 42,
  timestamp: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
  key: bytes('k1'),
  value: bytes('a "b"\n'),
  headers: [
    { key: 'trace', value: bytes('7') },
    { key: 'flag', value: null },
  ],
};
const render = (format: string, of: PrintableRecord = record): string => Buffer.from(compileRecordFormat(format)(of)).toString('utf8');

describe('--format', () => {
  test.each([
    ['%t %p %o %k\\n', 'orders 3 42 k1\n'],
    ['%v', 'a "b"\n'],
    ['%v{json}', '"a \\"b\\"\\n"'],
    ['%k{hex} %k{base64}', '6b31 azE='],
    ['%T|%T{iso}', '1767323045006|2026-01-02T03:04:05.006Z'],
    ['%h', 'trace=7,flag='],
    ['100%%\\t%o', '100%\t42'],
    ['%%o', '%o'],
    ['é%pü\\\\n', 'é3ü\\n'],
    ['', ''],
  ])('%j prints %j', (format, expected) => {
    expect(render(format)).toBe(expected);
  });

  test('bytes that are no text leave unchanged', () => {
    const value = new Uint8Array([0, 255, 37, 128]);
    expect([...compileRecordFormat('%v')({ ...record, value })]).toEqual([0, 255, 37, 128]);
  });

  test('an absent key prints nothing, or null as JSON', () => {
    expect(render('[%k|%k{hex}|%k{json}]', { ...record, key: null })).toBe('[||null]');
  });

  test.each(['%x', '%', '%v{utf8}', '%t{hex}', '%é', '\\q', 'a\\'])('%j is refused', (format) => {
    expect(() => compileRecordFormat(format)).toThrow(expect.objectContaining({ exitCode: 2 }));
  });

  test('escapes stand for their characters', () => {
    expect(unescape('\\n\\t\\r\\0\\\\n')).toBe('\n\t\r\0\\n');
  });
});

test('JSON keeps bytes that are not UTF-8', () => {
  const value = new Uint8Array([0xff, 0xfe]);
  expect(recordJson({ ...record, value })).toMatchObject({
    key: 'k1',
    value: { base64: '//4=' },
    headers: [
      { key: 'trace', value: '7' },
      { key: 'flag', value: null },
    ],
  });
});
