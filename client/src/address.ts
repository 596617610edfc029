/** Broker addresses as callers write them: 'balsa://a:7070,b:7070', 'a:7070', or a list of such. */
import { BalsaError } from './errors.ts';

export const defaultPort = 7070;
const scheme = 'balsa://';

/** host:port of every address, without repetition. */
export function parseAddresses(input: string | readonly string[]): string[] {
  const parts = (typeof input === 'string' ? [input] : input).flatMap((text) => split(text));
  if (parts.length === 0) throw refused(String(input));
  return [...new Set(parts.map(withPort))];
}

function split(text: string): string[] {
  const rest = text.startsWith(scheme) ? text.slice(scheme.length) : text;
  return rest
    .replace(/\/$/, '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function withPort(address: string): string {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^\s:/@[\]]+)(?::(\d{1,5}))?$/.exec(address);
  const port = match?.[2] === undefined ? defaultPort : Number(match[2]);
  if (match?.[1] === undefined || port < 1 || port > 65_535) throw refused(address);
  return `${match[1]}:${port}`;
}

function refused(address: string): BalsaError {
  return new BalsaError('INVALID_REQUEST', { detail: `"${address}" is not a broker address; write balsa://host:port.` });
}
