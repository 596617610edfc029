/** What a run of one seed came to, in a form that passes between processes. */
import type { SwarmOptions } from '../nemesis/swarm.ts';
import { simulate } from './simulate.ts';

/** Changes of what a seed draws. */
export type Overrides = Partial<Omit<SwarmOptions, 'seed'>>;

export interface SeedRequest {
  readonly seed: number;
  readonly overrides: Overrides;
}

export interface Failure {
  readonly rule: string;
  /** The facts, at their full length. */
  readonly reason: string;
}

export interface SeedOutcome {
  readonly seed: number;
  /** As asked for. */
  readonly overrides: Overrides;
  /** As drawn, with the overrides; undefined if the run did not come to its end. */
  readonly options: SwarmOptions | undefined;
  readonly failure: Failure | undefined;
  readonly traceHash: string;
  readonly counts: ReadonlyMap<string, number>;
  readonly virtualMs: number;
  readonly events: number;
}

/** In this process. `onLine` sees every event. */
export async function runSeed({ seed, overrides }: SeedRequest, onLine?: (line: string) => void): Promise<SeedOutcome> {
  const { failure, ...rest } = await simulate({ seed, overrides, ...(onLine === undefined ? {} : { onLine }) });
  return { ...rest, overrides, failure: failure === undefined ? undefined : { rule: failure.rule, reason: reasonOf(failure) } };
}

/** A run that ended without a verdict of its own: nothing but the failure is known of it. */
export function lostOutcome({ seed, overrides }: SeedRequest, failure: Failure): SeedOutcome {
  return { seed, overrides, options: undefined, failure, traceHash: '', counts: new Map(), virtualMs: 0, events: 0 };
}

/** The message repeats the rule. */
function reasonOf({ rule, message }: { readonly rule: string; readonly message: string }): string {
  return message.startsWith(`${rule}: `) ? message.slice(rule.length + 2) : message;
}
