/** Durations, addresses, codecs, errors, hashes: the small values of the surface. */
import { BalsaError, json, type StandardSchema, text } from '@balsa/client';
import { errorTable } from '@balsa/proto/errors';
import { ProduceRequest } from '@balsa/proto/client';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAddresses } from '../../../client/src/address.ts';
import { backoffMs } from '../../../client/src/cluster/backoff.ts';
import { durationMs } from '../../../client/src/duration.ts';
import { fromWire } from '../../../client/src/errors.ts';
import { murmur2, nextSticky, partitionOfKey } from '../../../client/src/producer/partitioner.ts';
import { encodeProduce } from '../../../client/src/transport/produce-encoding.ts';
import { seededRandom } from './virtual-clock.ts';

test('durations', () => {
  expect([250, '250ms', '5s', '1.5s', '2m', '1h', '7d'].map((value) => durationMs(value, 'x'))).toEqual([
    250, 250, 5_000, 1_500, 120_000, 3_600_000, 604_800_000,
  ]);
  for (const wrong of ['5', 'x', '', '-1s', -1, Number.NaN]) expect(() => durationMs(wrong, 'linger')).toThrow(/linger/);
});

test('addresses', () => {
  expect(parseAddresses('balsa://a:1,b')).toEqual(['a:1', 'b:7070']);
  expect(parseAddresses(['a', 'balsa://b:2/', 'a:7070'])).toEqual(['a:7070', 'b:2']);
  expect(parseAddresses('[::1]:80')).toEqual(['[::1]:80']);
  for (const wrong of ['', 'balsa://', 'a:0', 'a:70000', 'http://a:1', 'a b'])
    expect(() => parseAddresses(wrong), wrong).toThrow(/INVALID_REQUEST/);
});

describe('codecs', () => {
  test('text and json read back what they wrote', () => {
    expect(text.decode(text.encode('grüße'))).toBe('grüße');
    expect(json().decode(json().encode({ a: [1, null] }))).toEqual({ a: [1, null] });
  });

  test('what does not fit is INVALID_RECORD', () => {
    expect(() => text.decode(Uint8Array.of(0xff))).toThrow(/INVALID_RECORD.*UTF-8/);
    expect(() => json().decode(Buffer.from('{'))).toThrow(/INVALID_RECORD.*not JSON/);
    expect(() => json().encode(undefined)).toThrow(/INVALID_RECORD.*no JSON form/);
    expect(() => json().encode(1n)).toThrow(/INVALID_RECORD/);
  });

  test('a schema checks both ways and transforms on the way out', () => {
    const schema: StandardSchema<string, number> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value) =>
          typeof value === 'string' ? { value: Number(value) } : { issues: [{ message: 'no string', path: ['a', { key: 0 }] }] },
      },
    };
    const codec = json(schema);
    expect(codec.decode(codec.encode('12'))).toBe(12);
    expect(() => codec.encode(12 as never)).toThrow(/a\.0: no string/);
    const slow: StandardSchema<string> = {
      '~standard': { version: 1, vendor: 'test', validate: async (value) => ({ value: String(value) }) },
    };
    expect(() => json(slow).encode('x')).toThrow(/asynchronously/);
  });
});

describe('errors', () => {
  test('carry the facts of the table and say what, why and what next', () => {
    const error = new BalsaError('DISK_FULL', { detail: 'Node 3 has 0 bytes left.', topic: 't', partition: 2 });
    expect(error).toMatchObject({ code: 'DISK_FULL', retriable: true, effect: 'none', topic: 't', partition: 2 });
    expect(error.message).toBe(`DISK_FULL (t/2): Node 3 has 0 bytes left. ${errorTable.DISK_FULL.remedy}`);
  });

  test('come from the wire with their leader hint; unknown codes stay readable', () => {
    expect(fromWire({ code: '', message: '', leaderNodeId: 0, leaderTerm: 0 })).toBeUndefined();
    expect(fromWire({ code: 'NOT_LEADER', message: '', leaderNodeId: 2, leaderTerm: 7 })?.leader).toEqual({ nodeId: 2, term: 7 });
    const strange = fromWire({ code: 'TOO_NEW', message: 'hm', leaderNodeId: 0, leaderTerm: 0 });
    expect(strange).toMatchObject({ code: 'INTERNAL', effect: 'unknown' });
    expect(strange?.message).toMatch(/TOO_NEW.*hm/);
  });
});

describe('partitioner', () => {
  test('murmur2 as the other clients compute it', () => {
    const known: [string, number][] = [
      ['21', -973932308],
      ['foobar', -790332482],
      ['a-little-bit-long-string', -985981536],
      ['a-little-bit-longer-string', -1486304829],
      ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
      ['abc', 479470107],
    ];
    expect(known.map(([key]) => [key, murmur2(Buffer.from(key))])).toEqual(known);
    expect(partitionOfKey(Buffer.from('21'), 7)).toBe((-973932308 & 0x7fffffff) % 7);
  });

  test('sticky prefers partitions with a leader, and another than before', () => {
    const random = seededRandom(3);
    const chosen = new Set(Array.from({ length: 50 }, () => nextSticky([1, 2, 4], 6, 2, random)));
    expect(chosen).toEqual(new Set([1, 4]));
    expect(nextSticky([2], 6, 2, random)).toBe(2);
    expect(nextSticky([], 1, 0, random)).toBe(0);
  });
});

test('back-off starts short, grows and stays below its cap', () => {
  const low = { below: () => 0 };
  const high = { below: (max: number) => max - 1 };
  expect([1, 2, 3].map((failures) => backoffMs(failures, low))).toEqual([10, 20, 40]);
  expect(backoffMs(1, high)).toBeLessThan(20);
  expect(backoffMs(1_000, high)).toBeLessThan(500);
});

test('the hot encoder writes what the generated one writes', () => {
  const requests = fc.record({
    correlation: fc.nat(),
    topic: fc.string({ maxLength: 20 }),
    partition: fc.nat(10_000),
    acks: fc.constantFrom(0 as const, 1 as const, 2 as const, 3 as const),
    timeoutMs: fc.nat(),
    batch: fc.uint8Array({ maxLength: 400 }),
  });
  fc.assert(
    fc.property(requests, (request) => {
      expect(encodeProduce(request).toString('hex')).toBe(Buffer.from(ProduceRequest.encode(request).finish()).toString('hex'));
    }),
  );
});
