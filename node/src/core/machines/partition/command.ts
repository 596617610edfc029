/**
 * Commands of the partition machine, as bytes of a log entry.
 *
 * ```
 * at  type    field
 *  0  uint8   version   1
 *  1  uint8   kind      1 append, 2 trim
 *  2  int64   stampMs   log time: max(leader's clock, last stamp), Unix ms
 * 10          append: the record batch, to the end
 *             trim:   int64 logStart, first offset to keep
 * ```
 *
 * The entry *is* the stored form of a batch: readers take the batch out of it without a
 * copy, so the bytes before it are part of the format for ever.
 */
import type { Offset } from '../../ids.ts';
import { asOffset } from '../../ids.ts';
import { readInt64, viewOf, writeInt64 } from '../../records/bytes.ts';

export type PartitionCommand =
  | { readonly kind: 'append'; readonly stampMs: number; readonly batch: Uint8Array }
  | { readonly kind: 'trim'; readonly stampMs: number; readonly logStart: Offset };

const version = 1;
const kindAppend = 1;
const kindTrim = 2;
/** Bytes in front of the batch. */
const commandHeaderBytes = 10;
const trimBytes = commandHeaderBytes + 8;

export function encodeAppend(command: { readonly stampMs: number; readonly batch: Uint8Array }): Uint8Array {
  const bytes = new Uint8Array(commandHeaderBytes + command.batch.length);
  writeHeader(bytes, kindAppend, command.stampMs);
  bytes.set(command.batch, commandHeaderBytes);
  return bytes;
}

export function encodeTrim(command: { readonly stampMs: number; readonly logStart: Offset }): Uint8Array {
  const bytes = new Uint8Array(trimBytes);
  writeHeader(bytes, kindTrim, command.stampMs);
  writeInt64(viewOf(bytes), commandHeaderBytes, command.logStart);
  return bytes;
}

/** The command, its batch a view into `bytes`; undefined if the bytes are not a command of this version. */
export function decodePartitionCommand(bytes: Uint8Array): PartitionCommand | undefined {
  if (bytes.length < commandHeaderBytes || bytes[0] !== version) return undefined;
  const view = viewOf(bytes);
  const stampMs = readInt64(view, 2);
  if (!isPosition(stampMs)) return undefined;
  if (bytes[1] === kindAppend) return { kind: 'append', stampMs, batch: bytes.subarray(commandHeaderBytes) };
  if (bytes[1] !== kindTrim || bytes.length !== trimBytes) return undefined;
  const logStart = readInt64(view, commandHeaderBytes);
  return isPosition(logStart) ? { kind: 'trim', stampMs, logStart: asOffset(logStart) } : undefined;
}

function writeHeader(bytes: Uint8Array, kind: number, stampMs: number): void {
  bytes[0] = version;
  bytes[1] = kind;
  writeInt64(viewOf(bytes), 2, stampMs);
}

function isPosition(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
