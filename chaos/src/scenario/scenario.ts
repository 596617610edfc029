/**
 * A scenario: an experiment on a cluster, as a file says it. Declarative, so that it can be
 * repeated, compared and read; chance comes from the seed alone.
 *
 * A run: start the cluster, create the topics, load on; `warmupMs` of calm; then `repeats`
 * times `calmMs` of calm, the steps, and healing until all replicas have caught up; at the end
 * everything is healed, settles, and is read back by fresh clients and from every replica.
 */
import * as z from 'zod';
import { loadSchema } from './load.ts';
import { stepSchema } from './step.ts';

const nodesMax = 9;
const partitionsMax = 1000;
const msMax = 60 * 60_000;

const setting = z.union([z.string(), z.number(), z.boolean()]);

export const clusterSchema = z.strictObject({
  nodes: z.number().int().min(1).max(nodesMax).default(3),
  /** Settings of every broker by their path, for example `raft.heartbeatMs: 50`. */
  config: z.record(z.string().regex(/^[a-z]+\.[A-Za-z]+$/, 'expected section.key'), setting).default({}),
});

export const topicSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9._-]{1,64}$/),
  partitions: z.number().int().min(1).max(partitionsMax).default(3),
  replicas: z.number().int().min(1).max(7).default(3),
  config: z.record(z.string(), setting).default({}),
});

/** Bars; a run that is safe and misses one is `unavailable`. Of the repeats' 95th percentile if there are 20, else of the largest. */
export const expectSchema = z.strictObject({
  writeGapMsMax: z.number().positive().optional(),
  readGapMsMax: z.number().positive().optional(),
  fullReplicationMsMax: z.number().positive().optional(),
  /** Records acknowledged while faults were on, per repeat. */
  ackedDuringFaultMin: z.number().int().min(0).default(0),
  leaderChangesMin: z.number().int().min(0).default(0),
  leaderChangesMax: z.number().int().min(0).optional(),
  /** Share (0..1) of operations of unknown outcome that still allows a verdict. */
  unknownShareMax: z.number().min(0).max(1).default(0.5),
  ackedMin: z.number().int().min(1).default(100),
  /** Whether every replica is read at the end; false where a fault leaves one without its data for good. */
  everyReplica: z.boolean().default(true),
  /** Nodes may end with an error by themselves (failed fsync, failpoints): which exit is expected is up to the fault. */
  selfEnding: z.boolean().default(false),
  /** What the checker has to find, for scenarios that break a promise on purpose (a disk that lies). */
  anomalies: z.array(z.string()).default([]),
});

export const scenarioSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'expected lower case letters, digits and hyphens'),
  /** One line. */
  title: z.string().min(1).max(100),
  /** What it does and what it shows, for a reader. */
  about: z.string().max(2000).default(''),
  cluster: clusterSchema.prefault({}),
  topics: z
    .array(topicSchema)
    .min(1)
    .max(100)
    .prefault([{ name: 'orders' }]),
  load: loadSchema.prefault({}),
  warmupMs: z.number().int().min(0).max(msMax).default(2000),
  calmMs: z.number().int().min(0).max(msMax).default(1000),
  steps: z.array(stepSchema).min(1).max(100),
  repeats: z.number().int().min(1).max(1000).default(1),
  /** Longest wait for all replicas to catch up after a repeat, and at the end. */
  settleMsMax: z.number().int().min(1000).max(msMax).default(60_000),
  seed: z.number().int().min(1).max(0xffff_ffff).default(1),
  expect: expectSchema.prefault({}),
});

export type Scenario = z.infer<typeof scenarioSchema>;
export type Expectation = z.infer<typeof expectSchema>;
export type TopicPlan = z.infer<typeof topicSchema>;
