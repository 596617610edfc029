/** State of one producer. The functions that act on it live in admission, sender, settle and sweep. */
import type { ClientContext } from '../cluster/context.ts';
import type { BalsaError } from '../errors.ts';
import type { ProducerIdentity } from '../records/batch-header.ts';
import type { RawRecord } from '../records/batch-builder.ts';
import type { Delivery } from './batch.ts';
import { createFifo, type Fifo } from './fifo.ts';
import { createPipeline, type Pipeline } from './pipeline.ts';
import type { ProducerSettings } from './settings.ts';

/** A record that asks to be taken in, or a barrier of `flush` (no record) between such records. */
export interface Submission {
  readonly record: RawRecord | undefined;
  /** Upper bound of its encoded bytes. */
  readonly bytesMax: number;
  /** Partition that the caller chose. */
  readonly partition: number | undefined;
  readonly deadlineMs: number;
  readonly delivery: Delivery;
  /** Called when it left the waiting queue: taken in or refused. */
  onAdmitted: (() => void) | undefined;
  /** Whether it is in a batch: then its caller can no longer withdraw it. */
  isTaken: boolean;
  /** Set when its caller gave up while it waited. */
  isWithdrawn: boolean;
}

export interface ProducerState {
  readonly context: ClientContext;
  readonly topic: string;
  readonly settings: ProducerSettings;
  /** By partition number; made at the first record. */
  readonly pipelines: Map<number, Pipeline>;
  /** Records that do not fit in the buffer yet, or whose topic is still looked up, in order. */
  readonly waiting: Fifo<Submission>;
  /** Bytes taken in and not settled; at most bufferBytesMax (one larger record is allowed when it is alone). */
  bufferedBytes: number;
  /** Buffers of settled batches, for the next ones; at most freeBuffersMax. */
  readonly freeBuffers: Buffer[];
  /** Partition for records without key, until its batch is sealed. */
  sticky: number | undefined;
  previousSticky: number | undefined;
  /** First identity, shared by the partitions until one has to renew its own. */
  identity: ProducerIdentity | undefined;
  isAcquiring: boolean;
  /** Why the last try to get one failed; undefined once there is one. */
  identityError: BalsaError | undefined;
  isLookingUp: boolean;
  /** Pipelines whose open batch becomes due in the next turn; undefined if no turn is scheduled. */
  gathering: Pipeline[] | undefined;
  cancelSweep: (() => void) | undefined;
  phase: 'open' | 'closing' | 'closed';
  /** Called when the buffer may have room again: takes in what waits. */
  onRoom: () => void;
  /** Called when an obstacle of a pipeline is gone: sends what can be sent. */
  wake: (pipeline: Pipeline) => void;
}

/** Sends that may wait for room in the buffer; beyond it they are refused. */
export const waitingMax = 1_000_000;

export const freeBuffersMax = 8;

export function createProducerState(context: ClientContext, topic: string, settings: ProducerSettings): ProducerState {
  return {
    context,
    topic,
    settings,
    pipelines: new Map(),
    waiting: createFifo(),
    bufferedBytes: 0,
    freeBuffers: [],
    sticky: undefined,
    previousSticky: undefined,
    identity: undefined,
    isAcquiring: false,
    identityError: undefined,
    isLookingUp: false,
    gathering: undefined,
    cancelSweep: undefined,
    phase: 'open',
    onRoom: () => undefined,
    wake: () => undefined,
  };
}

export function pipelineOf(state: ProducerState, partition: number): Pipeline {
  const known = state.pipelines.get(partition);
  if (known !== undefined) return known;
  const made = createPipeline(partition);
  made.identity = state.identity;
  state.pipelines.set(partition, made);
  return made;
}
