/** The settings as a flat list, read off the schema: names in files, flags and the environment. */
import * as z from 'zod';
import { sections } from './schema.ts';

export interface ConfigKey {
  readonly section: string;
  readonly key: string;
  /** section.key */
  readonly path: string;
  /** BALSA_SECTION__KEY */
  readonly env: string;
  readonly help: string;
  readonly default: unknown;
  readonly kind: 'number' | 'boolean' | 'list' | 'text' | 'number-or-text';
}

export const envPrefix = 'BALSA_';

const snake = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();

function kindOf(schema: z.ZodType): ConfigKey['kind'] {
  const json = z.toJSONSchema(schema, { io: 'input' });
  if (json.anyOf !== undefined) return 'number-or-text';
  if (json.type === 'integer' || json.type === 'number') return 'number';
  if (json.type === 'boolean') return 'boolean';
  return json.type === 'array' ? 'list' : 'text';
}

function defaultOf(schema: z.ZodType): unknown {
  return schema instanceof z.ZodDefault ? schema.def.defaultValue : undefined;
}

/** All settings in the order of the schema. */
export const configKeys: readonly ConfigKey[] = Object.entries(sections).flatMap(([section, object]) =>
  Object.entries(object.shape as Record<string, z.ZodType>).map(([key, schema]) => ({
    section,
    key,
    path: `${section}.${key}`,
    env: `${envPrefix}${snake(section)}__${snake(key)}`,
    help: schema.description ?? '',
    default: defaultOf(schema),
    kind: kindOf(schema),
  })),
);
