import type { MetadataCommand } from '@balsa/node/core/machines/metadata/command.ts';
import { decodeMetadataCommand, encodeMetadataCommand } from '@balsa/node/core/machines/metadata/command-codec.ts';
import { metadataLimits } from '@balsa/node/core/machines/metadata/limits.ts';
import { describe, expect, test } from 'vitest';

const node = {
  type: 'register-node',
  nodeId: 7,
  storeId: 's-1',
  clientAddress: 'localhost:7000',
  peerAddress: '[::1]:7001',
  httpAddress: '',
  zone: 'eu.1_a',
} as const;

// Logs hold these bytes for ever: a change of an expected text is a change of format and
// needs a new version beside the old one.
const golden: readonly (readonly [MetadataCommand, string])[] = [
  [{ type: 'init-cluster', clusterId: 'c-1' }, '{"v":1,"type":"init-cluster","clusterId":"c-1"}'],
  [
    node,
    '{"v":1,"type":"register-node","nodeId":7,"storeId":"s-1","clientAddress":"localhost:7000","peerAddress":"[::1]:7001","httpAddress":"","zone":"eu.1_a"}',
  ],
  [
    { type: 'create-topic', name: 'é', partitions: 1, replicationFactor: 0, config: { 'retention.bytes': '-1' } },
    '{"v":1,"type":"create-topic","name":"é","partitions":1,"replicationFactor":0,"config":{"retention.bytes":"-1"}}',
  ],
  [{ type: 'delete-topic', name: 't' }, '{"v":1,"type":"delete-topic","name":"t"}'],
  [{ type: 'alter-topic', name: 't' }, '{"v":1,"type":"alter-topic","name":"t"}'],
  [
    { type: 'alter-topic', name: 't', partitions: 2, config: { 'retention.bytes': '' } },
    '{"v":1,"type":"alter-topic","name":"t","partitions":2,"config":{"retention.bytes":""}}',
  ],
  [{ type: 'allocate-producer-ids', count: 5 }, '{"v":1,"type":"allocate-producer-ids","count":5}'],
  [{ type: 'set-replicas', group: 3, replicas: [2, 1] }, '{"v":1,"type":"set-replicas","group":3,"replicas":[2,1]}'],
  [
    { type: 'set-replicas', group: 3, replicas: [1], learners: [4] },
    '{"v":1,"type":"set-replicas","group":3,"replicas":[1],"learners":[4]}',
  ],
  [{ type: 'set-feature-level', level: 1 }, '{"v":1,"type":"set-feature-level","level":1}'],
];

test.each(golden)('$type has these bytes and is read back', (command, json) => {
  expect(Buffer.from(encodeMetadataCommand(command)).toString('utf8')).toBe(json);
  expect(decodeMetadataCommand(Buffer.from(json))).toEqual({ ok: true, command });
});

const faultOf = (json: string): string | undefined => {
  const decoded = decodeMetadataCommand(Buffer.from(json));
  return decoded.ok ? undefined : decoded.fault;
};

describe('decoding is strict', () => {
  test.each([
    ['', 'it is not a JSON object'],
    ['nonsense', 'it is not a JSON object'],
    ['null', 'it is not a JSON object'],
    ['[]', 'it is not a JSON object'],
    ['{}', 'its version is unknown'],
    ['{"v":2,"type":"delete-topic","name":"t"}', 'its version is unknown'],
    ['{"v":1}', 'its type is unknown'],
    ['{"v":1,"type":"toString"}', 'its type is unknown'],
    ['{"v":1,"type":"__proto__"}', 'its type is unknown'],
    ['{"v":1,"type":"delete-topic"}', 'name is missing'],
    ['{"v":1,"type":"delete-topic","name":1}', 'name must be a text'],
    ['{"v":1,"type":"delete-topic","name":"t","more":1}', 'it has an unknown field'],
    ['{"v":1,"type":"delete-topic","name":"t","__proto__":{}}', 'it has an unknown field'],
    ['{"v":1,"type":"delete-topic","name":"t","toString":1}', 'it has an unknown field'],
    ['{"v":1,"type":"alter-topic","name":"t","partitions":-1}', 'partitions must be a whole number from 0 to 9007199254740991'],
    ['{"v":1,"type":"alter-topic","name":"t","partitions":1.5}', 'partitions must be a whole number from 0 to 9007199254740991'],
    ['{"v":1,"type":"alter-topic","name":"t","config":{"retention.bytes":1}}', 'config must be an object with texts'],
    ['{"v":1,"type":"alter-topic","name":"t","config":[]}', 'config must be an object with texts'],
    ['{"v":1,"type":"alter-topic","name":"t","config":null}', 'config must be an object with texts'],
    ['{"v":1,"type":"allocate-producer-ids","count":0}', 'count must be a whole number from 1 to 100000'],
    ['{"v":1,"type":"set-replicas","group":1,"replicas":[0]}', 'replicas must be a list of node ids'],
    ['{"v":1,"type":"set-replicas","group":1,"replicas":{"0":1}}', 'replicas must be a list of node ids'],
  ])('%s', (json, fault) => {
    expect(faultOf(json)).toBe(fault);
  });

  test.each([
    ['nodeId', 0],
    ['nodeId', 65_536],
    ['nodeId', '7'],
    ['storeId', ''],
    ['storeId', 'a b'],
    ['storeId', 'x'.repeat(65)],
    ['zone', ''],
    ['clientAddress', ''],
    ['clientAddress', 'host'],
    ['clientAddress', 'host:'],
    ['clientAddress', 'host:70000000'],
    ['clientAddress', 'host:1\n'],
    ['peerAddress', '::1:7001'],
    ['httpAddress', 'http://host:80'],
  ])('register-node with %s = %j', (field, value) => {
    expect(faultOf(JSON.stringify({ v: 1, ...node, [field]: value }))).toMatch(`${field} must be`);
  });

  test('bytes that are not UTF-8, and too many of them', () => {
    expect(decodeMetadataCommand(Uint8Array.of(0x22, 0xff, 0x22))).toEqual({ ok: false, fault: 'it is not a JSON object' });
    expect(faultOf(`{"v":1,"type":"delete-topic","name":"${'x'.repeat(metadataLimits.commandBytesMax)}"}`)).toBe(
      'it has more than 1048576 bytes',
    );
    expect(faultOf('['.repeat(metadataLimits.commandBytesMax))).toBe('it is not a JSON object');
  });
});
