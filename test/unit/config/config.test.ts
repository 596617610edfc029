/** Configuration: sources, precedence, and mistakes that are found before anything starts. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ConfigError } from '@balsa/node/config/config-error.ts';
import { didYouMean, editDistance } from '@balsa/node/config/did-you-mean.ts';
import { helpText } from '@balsa/node/config/help.ts';
import { configKeys } from '@balsa/node/config/keys.ts';
import type { LoadedConfig } from '@balsa/node/config/load.ts';
import { loadConfig } from '@balsa/node/config/load.ts';
import { formatEndpoint, parseEndpoint } from '@balsa/node/config/units.ts';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'balsa-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(text: string): string {
  const file = path.join(folder, 'node.yaml');
  writeFileSync(file, text);
  return file;
}

function load(args: readonly string[], env: Record<string, string> = {}): Extract<LoadedConfig, { kind: 'config' }> {
  const loaded = loadConfig({ args, env });
  if (loaded.kind !== 'config') throw new Error(`expected a configuration, got ${loaded.kind}`);
  return loaded;
}

/** Text of the refusal. */
function refused(args: readonly string[], env: Record<string, string> = {}): string {
  try {
    load(args, env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).code).toBe('CONFIG_INVALID');
    return (error as ConfigError).message;
  }
  throw new Error('the configuration was accepted');
}

describe('sources', () => {
  test('nothing set gives a working node of its own', () => {
    const { config } = load([]);
    expect(config.node.id).toBe(1);
    expect(config.cluster.members).toEqual([]);
    expect(config.raft.electionMsMin).toBeGreaterThan(config.raft.heartbeatMs);
  });

  test('a flag wins over the environment, that over the file, that over the default', () => {
    const file = write('raft: { tickMs: 10, heartbeatMs: 200, electionMsMin: 900 }\nnode: { zone: file }');
    const env = { BALSA_RAFT__HEARTBEAT_MS: '300', BALSA_RAFT__ELECTION_MS_MIN: '950' };
    const { config, origins } = load(['--config', file, '--raft.electionMsMin=999'], env);
    expect(config.raft).toMatchObject({ tickMs: 10, heartbeatMs: 300, electionMsMin: 999, electionMsMax: 1000 });
    expect(config.node.zone).toBe('file');
    expect(origins.get('raft.electionMsMin')).toBe('flag --raft.electionMsMin');
    expect(origins.get('raft.heartbeatMs')).toBe('environment BALSA_RAFT__HEARTBEAT_MS');
    expect(origins.get('raft.tickMs')).toContain('node.yaml');
    expect(load([], { BALSA_CONFIG: file }).config.raft.tickMs).toBe(10);
  });

  test('every setting has its flag, its variable and help', () => {
    for (const key of configKeys) {
      expect(key.help, key.path).not.toBe('');
      expect(helpText('')).toContain(`--${key.path} `);
      expect(key.env).toMatch(/^BALSA_[A-Z]+__[A-Z_]+$/);
    }
    expect(new Set(configKeys.map(({ env }) => env)).size).toBe(configKeys.length);
    expect(loadConfig({ args: ['--help'], env: {} })).toEqual({ kind: 'help' });
    expect(loadConfig({ args: ['--version'], env: {} })).toEqual({ kind: 'version' });
  });

  test('members come as text or as records', () => {
    const one = [{ id: 1, peer: 'a:1', client: 'a:2' }];
    expect(load(['--cluster.members', '1=a:1/a:2']).config.cluster.members).toEqual(one);
    const file = write('cluster:\n  members:\n    - { id: 1, peer: "a:1", client: "a:2" }\n    - 2=[::1]:7/b:8\n');
    expect(load(['--config', file]).config.cluster.members).toEqual([...one, { id: 2, peer: '[::1]:7', client: 'b:8' }]);
  });

  test('bytes may have a unit', () => {
    const read = (text: string) => load(['--limits.fetchBytesMax', text]).config.limits.fetchBytesMax;
    expect(read('2MiB')).toBe(2_097_152);
    expect(read('4096')).toBe(4096);
    expect(refused(['--limits.fetchBytesMax', '2 MB'])).toContain('MiB');
  });

  test('an address is read back as it was written', () => {
    fc.assert(
      fc.property(fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6()), fc.integer({ min: 0, max: 65_535 }), (host, port) => {
        expect(parseEndpoint(formatEndpoint({ host, port }))).toEqual({ host, port });
      }),
    );
    for (const text of ['', 'host', 'host:', ':1', 'host:70000', 'a b:1', '::1:5'])
      expect([text, parseEndpoint(text)]).toEqual([text, undefined]);
  });
});

describe('mistakes', () => {
  test('an unknown key is refused in every source, with the one that was meant', () => {
    expect(refused(['--raft.tickMS', '5'])).toBe('--raft.tickMS (flag): there is no such setting. Did you mean "raft.tickMs"?');
    expect(refused([], { BALSA_RAFT__TICKS_MS: '5' })).toContain('Did you mean "BALSA_RAFT__TICK_MS"?');
    expect(refused(['--config', write('raft: { tikMs: 5 }')])).toContain('Did you mean "raft.tickMs"?');
    expect(refused(['--config', write('rafts: { tickMs: 5 }')])).toContain('Did you mean "raft"?');
    expect(refused(['--quite.wrong', '1'])).not.toContain('Did you mean');
    expect(load([], { BALSA_HOME: 'not a setting' }).config.node.id).toBe(1);
  });

  test('all wrong values are named at once, with where they were set', () => {
    const message = refused(['--node.id', '0', '--raft.tickMs', 'fast'], { BALSA_LISTEN__CLIENT: 'nowhere' });
    expect(message.split('\n')).toHaveLength(3);
    expect(message).toContain('node.id (flag --node.id)');
    expect(message).toContain('raft.tickMs (flag --raft.tickMs)');
    expect(message).toContain('listen.client (environment BALSA_LISTEN__CLIENT): expected host:port');
  });

  test('values that do not go together are refused', () => {
    expect(refused(['--node.id', '7', '--cluster.members', '1=a:1/a:2'])).toContain('node 7 is not in cluster.members');
    expect(refused(['--cluster.members', '1=a:1/a:2,1=b:1/b:2'])).toContain('same id');
    expect(refused(['--raft.heartbeatMs', '130'])).toContain('multiple');
    expect(refused(['--raft.electionMsMax', '500'])).toContain('electionMsMin');
    expect(refused(['--raft.electionMsMin', '200'])).toContain('three heartbeats');
  });

  test('a file that is no configuration is refused with its place', () => {
    expect(refused(['--config', path.join(folder, 'absent.yaml')])).toContain('absent.yaml');
    expect(refused(['--config', write('raft: [')])).toContain('YAML');
    expect(refused(['--config', write('just text')])).toContain('sections');
    expect(refused(['--config', write('raft: 5')])).toContain('keys with values');
    expect(refused(['--raft.tickMs'])).toContain('value is missing');
    expect(refused(['stray'])).toContain('starts with --');
  });

  test('the distance between names is a metric, and the nearest name wins', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), (a, b, c) => {
        expect(editDistance(a, a)).toBe(0);
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
      }),
    );
    expect(didYouMean('tikcMs', ['tickMs', 'timeMs'])).toContain('tickMs');
  });
});
