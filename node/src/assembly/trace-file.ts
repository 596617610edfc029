/**
 * Writes the transitions of this node's Raft groups to a file, one JSON object per line,
 * for a check of the whole cluster afterwards. Off unless `trace.file` is set.
 *
 * Every line is with the operating system before any effect of its step leaves the node,
 * so a killed process loses at most a torn last line, never one that another node has seen
 * the consequences of. That costs a system call per step.
 *
 * Payloads are replaced by a hash. Ticks that change nothing are left out. Bounded by
 * `traceFileBytesMax`, restarts included: the last line then says `full`, and the node goes
 * on without a trace, as it does after a failed write.
 */
import { hash } from 'node:crypto';
import { fstatSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../config/schema.ts';
import { asNodeId } from '../core/ids.ts';
import type { Entry } from '../core/raft/entry.ts';
import type { Input } from '../core/raft/input.ts';
import type { HostObserver } from '../host/options.ts';
import { type StepEvent, type TraceEvent, traceObserver } from '../host/trace.ts';

const MiB = 1024 * 1024;
/** Size at which a trace file is complete. */
export const traceFileBytesMax = 256 * MiB;

const fullLine = '{"type":"full"}\n';

/** `observer` and, if the settings ask for it, a trace beside it. Relative paths are in the data folder, which exists. */
export function withTrace(observer: HostObserver, { node, data, trace }: Config, onFailed: (error: unknown) => void): HostObserver {
  if (trace.file === '') return observer;
  const write = openTraceFile(path.resolve(data.dir, trace.file), traceFileBytesMax, onFailed);
  const tracing = traceObserver(asNodeId(node.id), write);
  return {
    ...observer,
    ...tracing,
    onRepair: (event) => {
      tracing.onRepair?.(event);
      observer.onRepair?.(event);
    },
  };
}

/** Appends to the file. Open until the process ends: it has to outlast everything that could still take a step. */
export function openTraceFile(file: string, bytesMax: number, onFailed: (error: unknown) => void): (event: TraceEvent<Uint8Array>) => void {
  const descriptor = openSync(file, 'a');
  let bytes = fstatSync(descriptor).size;
  let isOpen = bytes < bytesMax;
  const put = (line: string): void => {
    try {
      bytes += writeSync(descriptor, line);
    } catch (error) {
      isOpen = false;
      onFailed(error);
    }
  };
  // Ends a line that an earlier process did not finish.
  if (isOpen && bytes > 0) put('\n');
  return (event) => {
    if (!isOpen || isIdle(event)) return;
    const line = `${JSON.stringify(withoutPayloads(event))}\n`;
    isOpen = bytes + Buffer.byteLength(line) + fullLine.length <= bytesMax;
    put(isOpen ? line : fullLine);
  };
}

function isIdle(event: TraceEvent<Uint8Array>): boolean {
  if (event.type !== 'step' || event.input.type !== 'tick') return false;
  const { send, write, sendAfterWrite, committed, reads, readsRefused, soft } = event.effects;
  const isSilent = send.length === 0 && sendAfterWrite.length === 0 && reads.length === 0 && readsRefused.length === 0;
  return isSilent && write === undefined && committed === undefined && soft === undefined;
}

const hashLength = 16;
const digest = (payload: Uint8Array): string => `${payload.byteLength}:${hash('sha1', payload, 'hex').slice(0, hashLength)}`;

function withoutPayloads(event: TraceEvent<Uint8Array>): TraceEvent<string> {
  if (event.type !== 'step') return event;
  const { write, ...effects } = event.effects;
  const step: StepEvent<string> = { ...event, input: hashedInput(event.input), effects };
  if (write === undefined) return step;
  const { snapshot, entries, ...rest } = write;
  const hashed = {
    ...rest,
    entries: entries.map(hashedEntry),
    ...(snapshot !== undefined && { snapshot: { ...snapshot, state: digest(snapshot.state) } }),
  };
  return { ...step, effects: { ...effects, write: hashed } };
}

const hashedEntry = (entry: Entry<Uint8Array>): Entry<string> =>
  entry.kind === 'command' ? { ...entry, payload: digest(entry.payload) } : entry;

function hashedInput(input: Input<Uint8Array>): Input<string> {
  if (input.type === 'propose') {
    return { ...input, commands: input.commands.map(({ payload, size }) => ({ payload: digest(payload), size })) };
  }
  if (input.type !== 'message') return input;
  const { message } = input;
  if (message.kind === 'append-request') return { ...input, message: { ...message, entries: message.entries.map(hashedEntry) } };
  if (message.kind !== 'snapshot-request') return { ...input, message };
  const { snapshot } = message;
  return { ...input, message: { ...message, snapshot: { ...snapshot, state: digest(snapshot.state) } } };
}
