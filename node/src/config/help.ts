/** The help page, generated from the schema so that it cannot be out of date. */
import type { ConfigKey } from './keys.ts';
import { configKeys } from './keys.ts';
import { GiB, KiB, MiB } from './units.ts';

const intro = `Usage: balsa-node [--config file.yaml] [--section.key value ...]

Starts one broker. Every setting can stand in the YAML file (section: {key: value}),
in the environment (BALSA_SECTION__KEY) or on the command line (--section.key value);
a flag wins over the environment, that over the file, that over the default.

  --config file   YAML file (or BALSA_CONFIG)
  --help          this page
  --version       version of the broker
  --unsafe-faults takes commands that hurt this broker, for tests of it: lost and torn writes,
                  failing disks, crashes. No file and no variable can turn it on. Never use it
                  where data matters.
`;

export function helpText(exitCodes: string): string {
  const parts = [intro];
  let section = '';
  for (const key of configKeys) {
    if (key.section !== section) parts.push(`\n${key.section}`);
    section = key.section;
    parts.push(`  --${key.path.padEnd(34)} ${key.help}${defaultText(key)}`);
  }
  return `${parts.join('\n')}\n\nExit codes\n${exitCodes}\n`;
}

function defaultText(key: ConfigKey): string {
  if (key.default === undefined || key.default === '' || (Array.isArray(key.default) && key.default.length === 0)) return '';
  return ` [${formatDefault(key)}]`;
}

function formatDefault({ path, default: value }: ConfigKey): string {
  if (typeof value !== 'number' || !/bytes/i.test(path) || value <= 0) return String(value);
  const unit = [
    { size: GiB, name: 'GiB' },
    { size: MiB, name: 'MiB' },
    { size: KiB, name: 'KiB' },
  ].find(({ size }) => value % size === 0);
  return unit === undefined ? String(value) : `${value / unit.size}${unit.name}`;
}
