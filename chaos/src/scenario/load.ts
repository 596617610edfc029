/** What the clients of a scenario do: the part of its file below `load`. */
import * as z from 'zod';

const producersMax = 64;
const consumersMax = 64;
const recordsPerSecondMax = 100_000;
const recordBytesMax = 1024 * 1024;
const probePeriodMsMin = 5;
const deadlineMsMax = 60_000;

const acks = z.enum(['quorum', 'leader', 'none']);

/** One probe of each kind per partition and period, open loop. */
export const probeSchema = z.strictObject({
  periodMs: z.number().int().min(probePeriodMsMin).max(deadlineMsMax).default(20),
  deadlineMs: z.number().int().min(100).max(deadlineMsMax).default(1000),
  kinds: z
    .array(z.enum(['write', 'read', 'consume']))
    .min(1)
    .default(['write', 'read', 'consume']),
});

export const loadSchema = z.strictObject({
  /** Each sends to all partitions, pipelined; together they send `recordsPerSecond`, open loop. */
  producers: z.number().int().min(0).max(producersMax).default(2),
  recordsPerSecond: z.number().int().min(1).max(recordsPerSecondMax).default(100),
  /** Smallest and largest value. */
  recordBytes: z.tuple([z.number().int().min(16), z.number().int().max(recordBytesMax)]).default([32, 512]),
  /** Dealt to the producers in turn. */
  acks: z.array(acks).min(1).default(['quorum']),
  /** Dealt to the producers in turn. */
  idempotent: z.array(z.boolean()).min(1).default([true]),
  /** Largest number of records of one send. */
  sendRecordsMax: z.number().int().min(1).max(1000).default(4),
  lingerMs: z.number().int().min(0).max(10_000).default(0),
  batchBytesMax: z
    .number()
    .int()
    .min(1024)
    .max(recordBytesMax)
    .default(64 * 1024),
  deliveryTimeoutMs: z.number().int().min(100).max(120_000).default(10_000),
  /** Each follows one partition, and begins anew elsewhere in it now and then. */
  consumers: z.number().int().min(0).max(consumersMax).default(2),
  /** Consumers that take one batch per second. */
  slowConsumers: z.number().int().min(0).max(consumersMax).default(0),
  /** Somebody who creates, lists and deletes topics all the time. */
  topicChurn: z.boolean().default(false),
  probes: probeSchema.optional(),
});

export type Load = z.infer<typeof loadSchema>;
export type ProbePlan = z.infer<typeof probeSchema>;
