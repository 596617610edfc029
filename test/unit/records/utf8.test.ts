import { decodeUtf8, encodeUtf8 } from '@balsa/node/core/records/utf8.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const platformDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function platformDecode(bytes: Uint8Array): string | undefined {
  try {
    return platformDecoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Bytes that are often nearly UTF-8: lead and continuation bytes, and the edges of every range. */
const nearlyUtf8 = fc
  .array(fc.oneof(fc.constantFrom(0x7f, 0x80, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff), fc.nat(255)), {
    maxLength: 8,
  })
  .map((bytes) => Uint8Array.from(bytes));

/** Code points of every length, surrogates included. */
const anyText = fc
  .array(fc.oneof(fc.nat(0x10ffff), fc.nat(0x7ff), fc.integer({ min: 0xd7ff, max: 0xe000 })))
  .map((points) => String.fromCodePoint(...points));

describe('utf8 agrees with the platform', () => {
  test('when it encodes any string, lone surrogates included', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(Buffer.from(encodeUtf8(text)).equals(new TextEncoder().encode(text))).toBe(true);
      }),
    );
    expect(Buffer.from(encodeUtf8('a\ud800b\udc00')).toString('hex')).toBe('61efbfbd62efbfbd');
  });

  test('when it decodes any bytes, invalid ones included', () => {
    fc.assert(
      fc.property(nearlyUtf8, (bytes) => {
        expect(decodeUtf8(bytes)).toBe(platformDecode(bytes));
      }),
      { numRuns: 3000 },
    );
  });

  test('beyond the chunk of the decoder', () => {
    const text = 'aé€😀'.repeat(3000);
    expect(decodeUtf8(encodeUtf8(text))).toBe(text);
  });
});

test.each([
  ['overlong', 'c080'],
  ['overlong of three bytes', 'e08080'],
  ['surrogate', 'eda080'],
  ['above U+10FFFF', 'f4908080'],
  ['lone continuation', '80'],
  ['cut short', 'e282'],
])('refuses %s', (_, hex) => {
  expect(decodeUtf8(Buffer.from(hex, 'hex'))).toBeUndefined();
});
