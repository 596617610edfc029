/**
 * A study: the same experiments on clusters that differ in one setting, so that it can be seen
 * what the setting buys and what it risks. Declarative, like the scenarios it consists of.
 *
 * The first value of every axis is the base. `each` changes one axis at a time; `grid` takes all
 * combinations. A point of the study is a cluster, an experiment what is done to it.
 */
import * as z from 'zod';
import { scenarioSchema } from '../scenario/scenario.ts';
import { stepSchema } from '../scenario/step.ts';

/** Part of a scenario; checked as a whole when it is put together (points.ts). */
const part = z.record(z.string(), z.unknown());

export const valueSchema = z.strictObject({
  name: z.string().min(1).max(40),
  /** Merged over the base, object by object. */
  set: part.default({}),
  /** Done before the steps of every experiment, and not counted as a fault of theirs. */
  before: z.array(stepSchema).max(20).default([]),
});

export const experimentSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/),
  /** What it measures, for a reader. */
  about: z.string().max(500).default(''),
  set: part.default({}),
  steps: z.array(stepSchema).min(1).max(100),
  repeats: z.number().int().min(1).max(100).default(1),
});

export const studySchema = z.strictObject({
  name: scenarioSchema.shape.name,
  title: z.string().min(1).max(100),
  about: z.string().max(4000).default(''),
  mode: z.enum(['each', 'grid']).default('each'),
  seed: z.number().int().min(1).max(0xffff_ffff).default(1),
  base: part.default({}),
  axes: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(40),
        about: z.string().max(500).default(''),
        values: z.array(valueSchema).min(1).max(20),
      }),
    )
    .min(1)
    .max(10),
  experiments: z.array(experimentSchema).min(1).max(5),
});

export type Study = z.infer<typeof studySchema>;
export type Axis = Study['axes'][number];
export type AxisValue = z.infer<typeof valueSchema>;
export type Experiment = z.infer<typeof experimentSchema>;
