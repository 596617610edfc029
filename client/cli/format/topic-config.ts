/** Topic settings on the command line: `-c retention.ms=86400000`, repeatable; an empty value returns to the default. */
import { usageError } from '../cli-error.ts';

/** For commander: adds one `name=value` to those collected so far. */
export function collectSetting(text: string, previous: Readonly<Record<string, string>>): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw usageError(`"${text}" is no setting`, 'write name=value, for example -c retention.ms=86400000');
  return { ...previous, [text.slice(0, at).trim()]: text.slice(at + 1).trim() };
}

/** One line for a table: `retention.bytes=5000, retention.ms=1000`. */
export function formatConfig(config: Readonly<Record<string, string>>): string {
  return Object.entries(config)
    .map(([name, value]) => `${name}=${value}`)
    .toSorted()
    .join(', ');
}
