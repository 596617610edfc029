/** All faults by name, in the order of a list for people. */
import { bitFlip } from './bit-flip-fault.ts';
import { clockFaults } from './clock-faults.ts';
import { connectionFaults } from './connection-faults.ts';
import { crashFaults } from './crash-faults.ts';
import { cutFaults } from './cut-faults.ts';
import { damage } from './damage-fault.ts';
import { diskDelays } from './disk-delays.ts';
import { diskErrors } from './disk-errors.ts';
import type { Fault } from './fault.ts';
import { hardNetworkFaults } from './hard-network-faults.ts';
import { helix } from './helix-fault.ts';
import { leadershipFaults } from './leadership-faults.ts';
import { loadFaults } from './load-faults.ts';
import { processFaults } from './process-faults.ts';
import { replicaFaults } from './replica-faults.ts';
import { slowPathFaults } from './slow-path-faults.ts';
import { streamFaults } from './stream-faults.ts';
import { swizzleClog } from './swizzle-clog.ts';

const all: readonly Fault[] = [
  ...processFaults,
  ...clockFaults,
  ...crashFaults,
  ...cutFaults,
  ...slowPathFaults,
  swizzleClog,
  ...connectionFaults,
  ...streamFaults,
  ...hardNetworkFaults,
  ...diskErrors,
  ...diskDelays,
  damage,
  bitFlip,
  helix,
  ...leadershipFaults,
  ...replicaFaults,
  ...loadFaults,
];

export const catalogue: ReadonlyMap<string, Fault> = new Map(all.map((fault) => [fault.name, fault]));
