/**
 * Limits of the topics of a run. As in production (config/schema.ts) the largest batch of any
 * topic fits into the smallest segment; here that is the smallest one that a seed draws.
 */
const kib = 1024;

export const batchBytesMax = 32 * kib;

export const topicLimits = { 'batch.bytes.max': String(batchBytesMax), 'record.bytes.max': String(batchBytesMax) } as const;
