/**
 * Where settings come from: one YAML file, the environment, flags. Each source yields
 * the same flat map; unknown names are findings, never ignored, because a misspelt
 * limit that silently keeps its default is found at the worst time.
 */
import { parse, YAMLParseError } from 'yaml';
import type { ConfigFinding } from './config-error.ts';
import { ConfigError } from './config-error.ts';
import { didYouMean } from './did-you-mean.ts';
import type { ConfigKey } from './keys.ts';
import { configKeys, envPrefix } from './keys.ts';
import { sections } from './schema.ts';

export interface Setting {
  readonly value: unknown;
  readonly origin: string;
}

/** Settings by path (section.key). */
export type Settings = Map<string, Setting>;

const keyByPath = new Map(configKeys.map((key) => [key.path, key]));
const keyByEnv = new Map(configKeys.map((key) => [key.env, key]));
const paths = [...keyByPath.keys()];

export function readFileSettings(text: string, fileName: string): Settings {
  const origin = `file ${fileName}`;
  const document = parseYaml(text, origin);
  const settings: Settings = new Map();
  const findings: ConfigFinding[] = [];
  for (const [section, content] of Object.entries(document)) {
    if (!Object.hasOwn(sections, section)) {
      findings.push({ key: section, origin, problem: `there is no such section.${didYouMean(section, Object.keys(sections))}` });
    } else if (!isRecord(content)) {
      findings.push({ key: section, origin, problem: 'a section holds keys with values' });
    } else {
      for (const [key, value] of Object.entries(content)) {
        const path = `${section}.${key}`;
        if (keyByPath.has(path)) settings.set(path, { value, origin });
        else findings.push({ key: path, origin, problem: unknownKey(path) });
      }
    }
  }
  if (findings.length > 0) throw new ConfigError(findings);
  return settings;
}

/** Variables named BALSA_SECTION__KEY; other BALSA_ variables (without a double underscore) are not ours to judge. */
export function readEnvSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const settings: Settings = new Map();
  const findings: ConfigFinding[] = [];
  for (const [name, text] of Object.entries(env)) {
    if (text === undefined || !name.startsWith(envPrefix) || !name.includes('__')) continue;
    const key = keyByEnv.get(name);
    if (key === undefined) {
      findings.push({ key: name, origin: 'environment', problem: `there is no such setting.${didYouMean(name, [...keyByEnv.keys()])}` });
    } else settings.set(key.path, { value: fromText(key, text), origin: `environment ${name}` });
  }
  if (findings.length > 0) throw new ConfigError(findings);
  return settings;
}

export interface Flags {
  readonly settings: Settings;
  readonly file: string | undefined;
  readonly help: boolean;
  readonly version: boolean;
  readonly unsafeFaults: boolean;
}

/** Flags without a value. --unsafe-faults is no setting: no file and no variable can turn it on. */
const plainFlags: ReadonlySet<string> = new Set(['help', 'version', 'unsafe-faults']);
const flagNames = [...paths, 'config', ...plainFlags];

/** `--section.key value` or `--section.key=value`, `--config file`, and those without a value. */
export function readFlags(args: readonly string[]): Flags {
  const settings: Settings = new Map();
  const findings: ConfigFinding[] = [];
  const plain = new Set<string>();
  let file: string | undefined;
  const queue = [...args];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    const [, name = '', inline] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (plainFlags.has(name) || word === '-h') {
      plain.add(name === '' ? 'help' : name);
      if (inline !== undefined) findings.push({ key: word, origin: 'flag', problem: 'this flag takes no value' });
      continue;
    }
    const key = keyByPath.get(name);
    if (key === undefined && name !== 'config') {
      // What follows an unknown flag is its value, not another mistake.
      if (name !== '' && inline === undefined && queue[0]?.startsWith('--') === false) queue.shift();
      findings.push({ key: word, origin: 'flag', problem: name === '' ? 'a flag starts with --' : unknownFlag(name) });
      continue;
    }
    const value = inline ?? queue.shift();
    if (value === undefined) findings.push({ key: word, origin: 'flag', problem: 'its value is missing' });
    else if (key === undefined) file = value;
    else settings.set(key.path, { value: fromText(key, value), origin: `flag --${name}` });
  }
  if (findings.length > 0) throw new ConfigError(findings);
  return { settings, file, help: plain.has('help'), version: plain.has('version'), unsafeFaults: plain.has('unsafe-faults') };
}

const unknownKey = (path: string): string => `there is no such setting.${didYouMean(path, paths)}`;
const unknownFlag = (name: string): string => `there is no such setting.${didYouMean(name, flagNames)}`;

/** Text of a flag or variable as the value a file would hold. What does not fit stays text, for the schema to refuse. */
function fromText(key: ConfigKey, text: string): unknown {
  const trimmed = text.trim();
  switch (key.kind) {
    case 'number':
    case 'number-or-text':
      return /^-?\d+$/.test(trimmed) ? Number(trimmed) : trimmed;
    case 'boolean':
      return trimmed === 'true' ? true : trimmed === 'false' ? false : trimmed;
    case 'list':
      return trimmed === '' ? [] : trimmed.split(',').map((part) => part.trim());
    case 'text':
      return text;
  }
}

function parseYaml(text: string, origin: string): Record<string, unknown> {
  try {
    const document: unknown = parse(text) ?? {};
    if (isRecord(document)) return document;
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    throw new ConfigError([{ key: 'YAML', origin, problem: error.message }]);
  }
  throw new ConfigError([{ key: 'YAML', origin, problem: 'the file must hold sections with keys' }]);
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
