/**
 * Metadata commands as bytes of a log entry: UTF-8 JSON `{"v":1,"type":...,...}`. They are
 * rare and small, and a person can read them in a dump of the log.
 *
 * Decoding is strict, since an entry stays for ever: every field present, of its type and
 * within its range, nothing unknown. Rules that need the state, or have a code of their
 * own (topic names, settings, replication), are left to the machine.
 */
import { decodeUtf8, encodeUtf8 } from '../../records/utf8.ts';
import type { MetadataCommand } from './command.ts';
import { metadataLimits } from './limits.ts';

const version = 1;

export type DecodedCommand =
  | { readonly ok: true; readonly command: MetadataCommand }
  /** `fault` completes "the command is not valid: ". */
  | { readonly ok: false; readonly fault: string };

export function encodeMetadataCommand(command: MetadataCommand): Uint8Array {
  return encodeUtf8(JSON.stringify({ v: version, ...command }));
}

export function decodeMetadataCommand(bytes: Uint8Array): DecodedCommand {
  if (bytes.length > metadataLimits.commandBytesMax) return fault(`it has more than ${metadataLimits.commandBytesMax} bytes`);
  const value = parseJson(bytes);
  if (!isObject(value)) return fault('it is not a JSON object');
  const { v, type, ...fields } = value;
  if (v !== version) return fault('its version is unknown');
  if (typeof type !== 'string' || !Object.hasOwn(shapes, type)) return fault('its type is unknown');
  const wrong = shapeFault(shapes[type as MetadataCommand['type']], fields);
  return wrong === undefined ? { ok: true, command: { type, ...fields } as unknown as MetadataCommand } : fault(wrong);
}

/** Says what a value must be if it is not. */
type Rule = (value: unknown) => string | undefined;

interface Shape {
  readonly required: Readonly<Record<string, Rule>>;
  readonly optional: Readonly<Record<string, Rule>>;
}

const integer =
  (min: number, max: number): Rule =>
  (value) =>
    Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max ? undefined : `a whole number from ${min} to ${max}`;

const text =
  (pattern: RegExp, description: string): Rule =>
  (value) =>
    typeof value === 'string' && pattern.test(value) ? undefined : description;

const anyText: Rule = (value) => (typeof value === 'string' ? undefined : 'a text');
const label = text(/^[A-Za-z0-9._-]{1,64}$/, 'made of 1 to 64 letters, digits, dots, underscores or hyphens');
const hostAndPort = /^(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253}):[0-9]{1,5}$/;
const address = text(hostAndPort, 'host:port');
const optionalAddress: Rule = (value) => (value === '' ? undefined : address(value));
const nodeId = integer(1, 65_535);
const count = integer(0, Number.MAX_SAFE_INTEGER);

const nodeIds: Rule = (value) =>
  Array.isArray(value) && value.every((each) => nodeId(each) === undefined) ? undefined : 'a list of node ids';

const config: Rule = (value) =>
  isObject(value) && Object.values(value).every((each) => typeof each === 'string') ? undefined : 'an object with texts';

const shapes: Readonly<Record<MetadataCommand['type'], Shape>> = {
  'init-cluster': { required: { clusterId: label }, optional: {} },
  'register-node': {
    required: { nodeId, storeId: label, clientAddress: address, peerAddress: address, httpAddress: optionalAddress, zone: label },
    optional: {},
  },
  'create-topic': { required: { name: anyText, partitions: count, replicationFactor: count, config }, optional: {} },
  'delete-topic': { required: { name: anyText }, optional: {} },
  'alter-topic': { required: { name: anyText }, optional: { partitions: count, config } },
  'allocate-producer-ids': { required: { count: integer(1, metadataLimits.producerIdsPerBlockMax) }, optional: {} },
  'set-replicas': { required: { group: count, replicas: nodeIds }, optional: { learners: nodeIds } },
  'set-feature-level': { required: { level: integer(0, metadataLimits.featureLevelMax) }, optional: {} },
};

function shapeFault(shape: Shape, fields: Readonly<Record<string, unknown>>): string | undefined {
  for (const [name, rule] of Object.entries(shape.required)) {
    if (!Object.hasOwn(fields, name)) return `${name} is missing`;
    const wanted = rule(fields[name]);
    if (wanted !== undefined) return `${name} must be ${wanted}`;
  }
  for (const [name, value] of Object.entries(fields)) {
    if (Object.hasOwn(shape.required, name)) continue;
    const rule = Object.hasOwn(shape.optional, name) ? shape.optional[name] : undefined;
    if (rule === undefined) return 'it has an unknown field';
    const wanted = rule(value);
    if (wanted !== undefined) return `${name} must be ${wanted}`;
  }
  return undefined;
}

function parseJson(bytes: Uint8Array): unknown {
  const json = decodeUtf8(bytes);
  if (json === undefined) return undefined;
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fault(reason: string): DecodedCommand {
  return { ok: false, fault: reason };
}
