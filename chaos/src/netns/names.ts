/**
 * Names and addresses of one run, unlike those of any other: everything that a run makes
 * on the machine carries its prefix, so that it can be told apart and removed.
 */
import { networkInterfaces } from 'node:os';
import { assert } from '@balsa/node/core/assert.ts';

/** A whole number in [0, exclusiveMax). */
export type Below = (exclusiveMax: number) => number;

const prefixChars = 5;
const radix = 36;
/** What Linux allows as the name of an interface. */
const interfaceNameCharsMax = 15;
/** 198.18.0.0/15 is set aside for tests of networks and routed nowhere (RFC 2544). */
const firstOctet = 198;
const secondOctets = [18, 19] as const;
const subnetsPerOctet = 256;
const attemptsMax = 64;
const harnessHost = 254;

export function freshPrefix(below: Below): string {
  const chars = Array.from({ length: prefixChars }, () => below(radix).toString(radix));
  const prefix = `balsa-${chars.join('')}`;
  assert(prefix.length <= interfaceNameCharsMax, 'the prefix is an interface name', { prefix });
  return prefix;
}

/** Addresses of one run, all in one /24. */
export interface Subnet {
  readonly node: (id: number) => string;
  readonly harness: string;
}

/** One that no interface of this machine is in; `taken` are the addresses of the interfaces. */
export function freshSubnet(below: Below, taken: readonly string[] = ownAddresses()): Subnet {
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const network = `${firstOctet}.${secondOctets[below(secondOctets.length)]}.${below(subnetsPerOctet)}`;
    if (taken.some((address) => address.startsWith(`${network}.`))) continue;
    return { node: (id) => `${network}.${id}`, harness: `${network}.${harnessHost}` };
  }
  throw new Error(
    `no free network in ${firstOctet}.${secondOctets[0]}.0.0/15 after ${attemptsMax} attempts; end other runs of the harness`,
  );
}

function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address));
}
