import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lineRecords } from '../../../client/cli/line-records.ts';

async function* chunks(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function records(input: AsyncIterable<Uint8Array>, separator?: string, bytesMax?: number): Promise<[string | null, string][]> {
  const found: [string | null, string][] = [];
  for await (const { key, value } of lineRecords(input, separator, bytesMax)) {
    found.push([key === null ? null : Buffer.from(key).toString(), Buffer.from(value).toString()]);
  }
  return found;
}

describe('records from lines', () => {
  test('one line is one record; the last needs no line end, empty lines are records', async () => {
    expect(await records(chunks('a\n\nb'))).toEqual([
      [null, 'a'],
      [null, ''],
      [null, 'b'],
    ]);
    expect(await records(chunks(''))).toEqual([]);
  });

  test('Windows line ends are line ends', async () => {
    expect(await records(chunks('a\r', '\nb\r\n'))).toEqual([
      [null, 'a'],
      [null, 'b'],
    ]);
  });

  test('the key ends at the first separator', async () => {
    expect(await records(chunks('k::v::w\n::v\nk::\n'), '::')).toEqual([
      ['k', 'v::w'],
      ['', 'v'],
      ['k', ''],
    ]);
  });

  test('a line without the separator is named', async () => {
    await expect(records(chunks('a:1\nb\n'), ':')).rejects.toMatchObject({ parts: { what: 'line 2 has no key' } });
  });

  test('a line that never ends is refused', async () => {
    await expect(records(chunks('aaaa', 'aaaa', 'aaaa'), undefined, 10)).rejects.toThrow('longer than 10 bytes');
  });

  test('however the input is cut, the records are the same and account for every byte', async () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'é', ' ', ',') });
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.array(fc.nat(20)), async (lines, cuts) => {
        const all = Buffer.from(lines.map((text) => `${text}\n`).join(''));
        async function* pieces(): AsyncGenerator<Uint8Array> {
          let at = 0;
          for (const cut of cuts) {
            yield all.subarray(at, at + cut);
            at += cut;
          }
          yield all.subarray(at);
        }
        const values: string[] = [];
        let bytes = 0;
        for await (const { value, inputBytes } of lineRecords(pieces(), undefined)) {
          values.push(Buffer.from(value).toString());
          bytes += inputBytes;
        }
        expect(values).toEqual(lines);
        expect(bytes).toBe(all.length);
      }),
    );
  });
});
