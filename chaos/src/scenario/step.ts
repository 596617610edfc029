/**
 * The schedule of a scenario: what is done to the cluster, in order.
 *
 * Whom a fault strikes is said by role and resolved when the step begins: `leader` is the
 * leader of the first partition of the first topic at that moment, `follower` one of its
 * followers (the first by node id that is not named otherwise), and so on. `let` gives roles a
 * name that stays with the node, whatever it becomes later.
 */
import * as z from 'zod';

const msMax = 60 * 60_000;
const ttlMsMax = 10 * 60_000;
const stepsMax = 100;

export const roles = [
  'leader',
  'follower',
  /** A follower other than the one that `follower` is. */
  'other-follower',
  'metadata-leader',
  'any',
  /** floor((n - 1) / 2) nodes, followers first. */
  'minority',
  /** The smallest majority, the leader among them. */
  'majority',
  'all',
] as const;
export type Role = (typeof roles)[number];

/** A role, `node 2`, a name given by `let`, or several of them. */
const one = z.string().min(1).max(64);
export const targetSchema = z.union([one, z.array(one).min(1).max(9)]);
export type Target = z.infer<typeof targetSchema>;

const ms = z.number().int().min(0).max(msMax);
const name = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'expected lower case letters, digits and hyphens');

/** Parameters are checked by the fault itself (nemesis/catalogue.ts). */
const struck = {
  fault: name,
  target: targetSchema.default('leader'),
  with: z.record(z.string(), z.unknown()).default({}),
  /** Ends by itself after so long, whatever becomes of the schedule. */
  ttlMs: z.number().int().min(1).max(ttlMsMax).default(60_000),
};

/** A fault from its beginning to its end. */
const strike = z.strictObject({ strike: name, target: struck.target, with: struck.with, ttlMs: struck.ttlMs, forMs: ms.default(3000) });
/** A fault that lasts until `end` names it. */
const begin = z.strictObject({ begin: name, ...struck });
const end = z.strictObject({ end: z.union([name, z.literal('all')]) });
const bind = z.strictObject({ let: z.record(name, one) });
const wait = z.strictObject({ wait: ms });
/** Until so many records have been acknowledged from now on; gives up, and says so, after `withinMs`. */
const awaitAcks = z.strictObject({ awaitAcks: z.number().int().min(1).max(1_000_000), withinMs: ms.default(10_000) });
/** Until all nodes are ready and all replicas have caught up. */
const awaitCalm = z.strictObject({ awaitCalm: ms });
/** Steps at the same time. */
const together: z.ZodType<{ together: readonly Step[] }> = z.lazy(() =>
  z.strictObject({ together: z.array(stepSchema).min(1).max(stepsMax) }),
);

/** The field that says what a step is; in the order of the union. */
export const stepKinds = ['strike', 'begin', 'end', 'let', 'wait', 'awaitAcks', 'awaitCalm', 'together'] as const;

export const stepSchema: z.ZodType<Step> = z.lazy(() => z.union([strike, begin, end, bind, wait, awaitAcks, awaitCalm, together]));

export type Strike = z.infer<typeof strike>;
export type Begin = z.infer<typeof begin>;
export type Step =
  | Strike
  | Begin
  | z.infer<typeof end>
  | z.infer<typeof bind>
  | z.infer<typeof wait>
  | z.infer<typeof awaitAcks>
  | z.infer<typeof awaitCalm>
  | { together: readonly Step[] };
