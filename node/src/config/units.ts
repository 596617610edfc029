/** Leaf types of the configuration: what a person may write and what the program gets. */
import * as z from 'zod';

export const KiB = 1024;
export const MiB = 1024 * KiB;
export const GiB = 1024 * MiB;

const byteUnits: Readonly<Record<string, number>> = { B: 1, KiB, MiB, GiB };

/** A number of bytes: 1048576 or "1MiB". */
export function bytes(min: number, max: number) {
  const plain = z.number().int();
  const withUnit = z
    .string()
    .regex(/^\d+ ?(B|KiB|MiB|GiB)$/)
    .transform((text) => Number.parseInt(text, 10) * (byteUnits[text.replace(/^\d+ ?/, '')] ?? 1));
  return z
    .union([plain, withUnit], 'expected a number of bytes, or a number with B, KiB, MiB or GiB')
    .pipe(z.number().int().min(min).max(max));
}

/** A whole number of milliseconds. */
export const milliseconds = (min: number, max: number) => z.number().int().min(min).max(max);

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Splits host:port (IPv6 hosts in brackets); undefined if it is neither. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^\s:/@,[\]]+):(\d{1,5})$/.exec(text);
  const host = match?.[1];
  const port = Number(match?.[2]);
  if (host === undefined || !(port <= 65_535)) return undefined;
  return { host: host.replace(/^\[|\]$/g, ''), port };
}

export const formatEndpoint = ({ host, port }: Endpoint): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);

/** host:port */
export const endpoint = () =>
  z.string().refine((text) => parseEndpoint(text) !== undefined, 'expected host:port, for example 127.0.0.1:7070');
