/** Builds the configuration of a node: flag over environment over file over default. */
import { readFileSync } from 'node:fs';
import type * as z from 'zod';
import type { ConfigFinding } from './config-error.ts';
import { ConfigError } from './config-error.ts';
import type { Config } from './schema.ts';
import { configSchema } from './schema.ts';
import type { Settings } from './sources.ts';
import { readEnvSettings, readFileSettings, readFlags } from './sources.ts';

export interface ConfigSources {
  /** Command line without program and script. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

export type LoadedConfig =
  | {
      readonly kind: 'config';
      readonly config: Config;
      readonly origins: ReadonlyMap<string, string>;
      /** Only ever set by the flag. */
      readonly unsafeFaults: boolean;
    }
  | { readonly kind: 'help' }
  | { readonly kind: 'version' };

/** Throws ConfigError with every finding. */
export function loadConfig({ args, env }: ConfigSources): LoadedConfig {
  const flags = readFlags(args);
  if (flags.help) return { kind: 'help' };
  if (flags.version) return { kind: 'version' };
  const file = flags.file ?? env['BALSA_CONFIG'];
  const fromFile: Settings = file === undefined ? new Map() : readFileSettings(readText(file), file);
  const settings: Settings = new Map([...fromFile, ...readEnvSettings(env), ...flags.settings]);
  const origins = new Map([...settings].map(([path, { origin }]) => [path, origin]));
  return { kind: 'config', config: checkConfig(settings), origins, unsafeFaults: flags.unsafeFaults };
}

/** Applies types, limits, defaults and the rules between settings. */
export function checkConfig(settings: Settings): Config {
  const input: Record<string, Record<string, unknown>> = {};
  for (const [path, { value }] of settings) {
    const [section = '', key = ''] = path.split('.');
    (input[section] ??= {})[key] = value;
  }
  const checked = configSchema.safeParse(input);
  if (!checked.success) throw new ConfigError(checked.error.issues.map((issue) => findingOf(issue, settings)));
  const findings = crossCheck(checked.data).map((finding) => ({ ...finding, origin: originOf(finding.key, settings) }));
  if (findings.length > 0) throw new ConfigError(findings);
  return checked.data;
}

function crossCheck({ node, cluster, raft, limits }: Config): Omit<ConfigFinding, 'origin'>[] {
  const findings: Omit<ConfigFinding, 'origin'>[] = [];
  const require = (holds: boolean, key: string, problem: string): void => {
    if (!holds) findings.push({ key, problem });
  };
  const ids = cluster.members.map((member) => member.id);
  require(ids.length === 0 || ids.includes(node.id), 'node.id', `node ${node.id} is not in cluster.members (${ids.join(', ')})`);
  require(raft.heartbeatMs % raft.tickMs === 0, 'raft.heartbeatMs', `must be a multiple of raft.tickMs (${raft.tickMs})`);
  require(raft.electionMsMin >= 3 * raft.heartbeatMs, 'raft.electionMsMin', `must be at least three heartbeats (${3 * raft.heartbeatMs})`);
  require(raft.electionMsMax > raft.electionMsMin, 'raft.electionMsMax', 'must be above raft.electionMsMin, or elections collide');
  require(limits.requestTimeoutMs <= limits.requestTimeoutMsMax, 'limits.requestTimeoutMs', 'must not be above limits.requestTimeoutMsMax');
  return findings;
}

function findingOf(issue: z.core.$ZodIssue, settings: Settings): ConfigFinding {
  const key = issue.path.slice(0, 2).join('.');
  const value = settings.get(key)?.value;
  return { key, origin: originOf(key, settings), problem: `${issue.message}; got ${JSON.stringify(value)}` };
}

const originOf = (path: string, settings: Settings): string => settings.get(path)?.origin ?? 'default';

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError([{ key: 'config', origin: `file ${file}`, problem: `cannot be read: ${String(error)}` }]);
  }
}
