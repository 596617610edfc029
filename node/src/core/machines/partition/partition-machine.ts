/**
 * The replicated state machine of a topic partition: gives every accepted batch its
 * offsets, once.
 *
 * Offsets are assigned here and not by the leader when it appends, because only now is
 * it certain which entries stay in the log. So offsets are contiguous whatever happened
 * to leaders, and a batch that was sent again (same producer, epoch and sequences) is
 * answered with the offset of the first copy, also by a new leader: the producer table
 * is part of this state and of every snapshot.
 *
 * A refused command and a duplicate leave no trace but their Raft index.
 */
import { assert } from '../../assert.ts';
import { asOffset } from '../../ids.ts';
import type { BatchFacts, BatchFault } from '../../records/batch-header.ts';
import { parseBatch } from '../../records/batch-header.ts';
import type { AppliedCommand, Machine } from '../machine.ts';
import type { PartitionCommand } from './command.ts';
import { decodePartitionCommand } from './command.ts';
import type { PartitionLimits } from './limits.ts';
import { defaultPartitionLimits } from './limits.ts';
import type { PartitionOutcome, PartitionRefusal } from './outcome.ts';
import { judgeBatch, producerAfter } from './producer.ts';
import { findProducer, forgetProducers, rememberProducer } from './producer-table.ts';
import type { PartitionState } from './state.ts';
import { initialPartitionState, nextStampMs } from './state.ts';
import { decodePartitionState, encodePartitionState } from './state-codec.ts';

export function createPartitionMachine(limits: PartitionLimits): Machine<PartitionState, PartitionOutcome> {
  return {
    initial: initialPartitionState,
    apply: (state, applied) => applyCommand(state, applied, limits),
    encode: encodePartitionState,
    decode: decodePartitionState,
  };
}

export const partitionMachine: Machine<PartitionState, PartitionOutcome> = createPartitionMachine(defaultPartitionLimits);

function applyCommand(state: PartitionState, applied: AppliedCommand, limits: PartitionLimits): PartitionOutcome {
  const command = decodePartitionCommand(applied.payload);
  if (command === undefined) {
    return refused('INVALID_REQUEST', 'The log entry is not a partition command of this version. Upgrade this node.');
  }
  return command.kind === 'append' ? applyAppend(state, applied, command, limits) : applyTrim(state, command);
}

function applyAppend(
  state: PartitionState,
  applied: AppliedCommand,
  command: Extract<PartitionCommand, { kind: 'append' }>,
  limits: PartitionLimits,
): PartitionOutcome {
  const parsed = parseBatch(command.batch);
  if (!parsed.ok) return refusedBatch(parsed.fault);
  const { facts } = parsed;
  if (!Number.isSafeInteger(state.nextOffset + facts.recordCount)) return refusedBatch('offsets-used-up');
  const stampMs = nextStampMs(state, command.stampMs);
  if (facts.producerId < 0) return appendBatch(state, applied, facts, stampMs);
  const known = findProducer(state.producers, facts.producerId, stampMs, limits);
  const verdict = judgeBatch(known, facts);
  if (verdict.kind === 'refuse') return refused(verdict.code, verdict.message);
  if (verdict.kind === 'duplicate') {
    return { kind: 'appended', duplicate: true, baseOffset: verdict.baseOffset, recordCount: facts.recordCount };
  }
  const placed = { baseOffset: state.nextOffset, index: applied.index, stampMs };
  rememberProducer(state.producers, facts.producerId, producerAfter(known, facts, placed));
  forgetProducers(state.producers, stampMs, limits);
  return appendBatch(state, applied, facts, stampMs);
}

function appendBatch(state: PartitionState, applied: AppliedCommand, facts: BatchFacts, stampMs: number): PartitionOutcome {
  const baseOffset = state.nextOffset;
  const { recordCount, maxTimestampMs, sizeBytes } = facts;
  assert(recordCount > 0, 'an accepted batch takes offsets', { recordCount });
  state.nextOffset = asOffset(baseOffset + recordCount);
  state.lastStampMs = stampMs;
  const row = { index: applied.index, baseOffset, recordCount, maxTimestampMs, sizeBytes };
  return { kind: 'appended', duplicate: false, baseOffset, recordCount, row };
}

/** The log start only moves forward, so a repeated or late trim is answered with where it is. */
function applyTrim(state: PartitionState, command: Extract<PartitionCommand, { kind: 'trim' }>): PartitionOutcome {
  if (command.logStart > state.nextOffset) {
    return refused(
      'OFFSET_OUT_OF_RANGE',
      `The log cannot start at offset ${command.logStart}: it ends before ${state.nextOffset}. Trim to an offset up to the high watermark.`,
    );
  }
  if (command.logStart > state.logStart) {
    state.logStart = command.logStart;
    state.lastStampMs = nextStampMs(state, command.stampMs);
  }
  return { kind: 'trimmed', logStart: state.logStart };
}

function refusedBatch(fault: BatchFault | 'offsets-used-up'): PartitionOutcome {
  return refused('INVALID_BATCH', `The record batch is not acceptable: ${fault}. Send one sound record batch of format v2.`);
}

function refused(code: PartitionRefusal, message: string): PartitionOutcome {
  return { kind: 'refused', code, message };
}
