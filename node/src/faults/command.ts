/**
 * The commands of the control channel, checked: what a broker that was started with
 * `--unsafe-faults` can be told to suffer.
 *
 * Every lasting fault has a time to live after which it heals by itself: whoever armed it
 * may be gone by then. The others are over when they are answered; what a power failure or
 * a bit flip has destroyed stays destroyed.
 */
import * as z from 'zod';
import { canFail, failpointNames } from './failpoint-names.ts';

const ttlMsDefault = 30_000;
const ttlMsMax = 10 * 60_000;
const delayMsMax = 60_000;
/** Of the event loop: then nothing heals either. */
const blockMsMax = 10_000;
const clockStepMsMax = 366 * 24 * 60 * 60_000;
const everyTime = 1_000_000;
const countMax = 1_000_000;
const textMax = 200;

/** `name`: open, list, rename and remove. Changes of a file's size count as `write`. */
export const diskOperations = ['read', 'write', 'datasync', 'sync-folder', 'name'] as const;
export type DiskOperation = (typeof diskOperations)[number];

const ttlMs = z.number().int().min(1).max(ttlMsMax).default(ttlMsDefault);
const onFiles = {
  ttlMs,
  /** Strikes only files whose path contains this. */
  files: z.string().max(textMax).default(''),
};

const chance = {
  /** Of so many operations out of a million. */
  perMillion: z.number().int().min(1).max(everyTime).default(everyTime),
  /** Ends after so many strikes. */
  times: z.number().int().min(1).max(countMax).optional(),
};

const delayMs = z.number().int().min(0).max(delayMsMax);
const operations = z
  .array(z.enum(diskOperations))
  .min(1)
  .default([...diskOperations]);
const writeErrors = z.enum(['EIO', 'ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS']);

const syncError = z.strictObject({ fault: z.literal('sync-error'), ...onFiles, ...chance });
/** Syncs of files are answered at once, and make nothing durable. */
const lyingSync = z.strictObject({ fault: z.literal('lying-sync'), ...onFiles, ...chance });
const readError = z.strictObject({ fault: z.literal('read-error'), ...onFiles, ...chance });
const writeError = z.strictObject({ fault: z.literal('write-error'), ...onFiles, ...chance, code: writeErrors.default('EIO') });
/** A random part of the write is done before it fails. */
const shortWrite = z.strictObject({ fault: z.literal('short-write'), ...onFiles, ...chance, code: writeErrors.default('ENOSPC') });
/** Files may grow by `bytes` more, all together. */
const diskFull = z.strictObject({ fault: z.literal('disk-full'), ...onFiles, bytes: z.number().int().min(0).default(0) });
const slowDisk = z.strictObject({
  fault: z.literal('slow-disk'),
  ...onFiles,
  operations,
  /** Fixed, or from (inclusive) and to (inclusive). */
  delayMs: z.union([delayMs, z.tuple([delayMs, delayMs]).refine(([from, to]) => from <= to, 'expected [from, to]')]),
});
/** The operations wait until the fault ends. */
const stall = z.strictObject({ fault: z.literal('stall'), ...onFiles, operations });

/** The wall clock, with which records are stamped, is wrong by so much. Monotonic time is not touched. */
const clockStep = z.strictObject({
  fault: z.literal('clock-step'),
  ttlMs,
  byMs: z.number().int().min(-clockStepMsMax).max(clockStepMsMax),
});

const loss = {
  /** What was not synced is lost as a whole; true: per file a random choice of the two others. */
  torn: z.union([z.boolean(), z.enum(['prefix', 'sectors'])]).default(false),
  /** What becomes of the state store's files; see state-loss.ts. */
  state: z.enum(['keep', 'unsynced', 'all']).default('unsynced'),
};

export const failpointActions = ['panic', 'power-loss', 'sleep', 'block', 'error'] as const;
const failpoint = z
  .strictObject({
    fault: z.literal('failpoint'),
    ttlMs,
    point: z.enum(failpointNames),
    /** panic: SIGKILL; sleep: this operation waits `ms`, at a synchronous point as `block`; block: the whole event loop waits. */
    action: z.enum(failpointActions),
    ms: z.number().int().min(0).max(blockMsMax).default(100),
    /** The action begins with this hit, counted from 1. */
    hit: z.number().int().min(1).max(countMax).default(1),
    times: z.number().int().min(1).max(countMax).default(1),
    ...loss,
  })
  .refine(({ action, point }) => action !== 'error' || canFail(point), 'what follows this point cannot fail');

const powerLoss = z.strictObject({ fault: z.literal('power-loss'), ...loss });
const bitFlip = z.strictObject({
  fault: z.literal('bit-flip'),
  files: z.string().max(textMax).default('.segment'),
  /** Byte in the file; without it the first one of `contains`, or a random one. Never one that was not synced. */
  position: z.number().int().min(0).optional(),
  contains: z.string().min(1).max(textMax).optional(),
});
/** The event loop does nothing else for so long. */
const block = z.strictObject({ fault: z.literal('block'), ms: z.number().int().min(1).max(blockMsMax) });
/** Ends one fault, or all. */
const heal = z.strictObject({ fault: z.literal('heal'), id: z.number().int().min(1).optional() });

const lastingFaults = [syncError, lyingSync, readError, writeError, shortWrite, diskFull, slowDisk, stall, clockStep, failpoint] as const;
export const lastingCommand = z.discriminatedUnion('fault', lastingFaults);
export const faultCommand = z.discriminatedUnion('fault', [...lastingFaults, powerLoss, bitFlip, block, heal]);

export type LastingCommand = z.infer<typeof lastingCommand>;
export type FaultCommand = z.infer<typeof faultCommand>;
/** A command as it is sent: what has a default may be left out. */
export type FaultRequest = z.input<typeof faultCommand>;
export type FaultName = FaultCommand['fault'];
export type FailpointCommand = z.infer<typeof failpoint>;
export type BitFlipCommand = z.infer<typeof bitFlip>;
export type Loss = Pick<z.infer<typeof powerLoss>, 'torn' | 'state'>;
export type Torn = Loss['torn'];
