/**
 * Pairs the events of a history into operations, and notes what breaks the rules of histories
 * (event.ts) or the deadline of an operation.
 *
 * Failure contract: a broken history is still paired as far as possible, so that the report
 * names what was broken; the verdict is then never better than 'unknown'.
 */
import type { Findings } from './anomaly.ts';
import { report } from './anomaly.ts';
import type {
  AssignInvoke,
  Completion,
  CreateInvoke,
  CreateOk,
  DeleteInvoke,
  DescribeInvoke,
  DescribeOk,
  HistoryEvent,
  Invoke,
  NotOk,
  OffsetInvoke,
  OffsetOk,
  Ok,
  PlainOk,
  PollInvoke,
  PollOk,
  SendInvoke,
  SendOk,
} from './event.ts';

export interface Operation<I extends Invoke = Invoke, O extends Ok = Ok> {
  readonly invoke: I;
  outcome: 'ok' | 'fail' | 'info';
  ok: O | undefined;
  notOk: NotOk | undefined;
  /** Position of the invocation in the history. */
  readonly from: number;
  /** Position of the completion; Infinity if it may still take effect ('info' or none). */
  to: number;
}

export type SendOperation = Operation<SendInvoke, SendOk>;
export type PollOperation = Operation<PollInvoke, PollOk>;
export type AssignOperation = Operation<AssignInvoke, PlainOk>;
export type OffsetOperation = Operation<OffsetInvoke, OffsetOk>;
export type TopicOperation = Operation<CreateInvoke, CreateOk> | Operation<DeleteInvoke, PlainOk>;
export type DescribeOperation = Operation<DescribeInvoke, DescribeOk>;

/** The name of an operation decides the types of its two halves. */
export function isSend(operation: { readonly invoke: Invoke }): operation is SendOperation {
  return operation.invoke.f === 'send';
}

export function isPoll(operation: { readonly invoke: Invoke }): operation is PollOperation {
  return operation.invoke.f === 'poll';
}

export interface PairingOptions {
  /** The longest that an operation may take; absent: no limit. */
  readonly operationNsMax?: number;
}

interface ProcessState {
  /** Operations under way. */
  open: number;
  pipelined: boolean;
  retired: boolean;
}

interface Pairing {
  readonly open: Map<number, Operation>;
  readonly ids: Set<number>;
  readonly processes: Map<string, ProcessState>;
  readonly found: Findings;
  readonly options: PairingOptions;
}

/** Operations in the order of their invocations. */
export function pairOperations(events: Iterable<HistoryEvent>, found: Findings, options: PairingOptions): readonly Operation[] {
  const pairing: Pairing = { open: new Map(), ids: new Set(), processes: new Map(), found, options };
  const operations: Operation[] = [];
  let position = 0;
  let lastNs = 0;
  for (const event of events) {
    if (event.tNs < lastNs) malformed(pairing, event, 'its time is before that of the event above it');
    lastNs = event.tNs;
    if (event.type === 'invoke') operations.push(begin(pairing, event, position));
    else end(pairing, event, position);
    position += 1;
  }
  for (const { invoke } of pairing.open.values()) {
    report(found, 'unanswered', `process ${invoke.process}`, [invoke.op], () => `${invoke.f} has no completion`);
  }
  return operations;
}

function begin(pairing: Pairing, invoke: Invoke, position: number): Operation {
  const operation: Operation = { invoke, outcome: 'info', ok: undefined, notOk: undefined, from: position, to: Infinity };
  if (pairing.ids.has(invoke.op)) malformed(pairing, invoke, 'its operation id was used before');
  pairing.ids.add(invoke.op);
  pairing.open.set(invoke.op, operation);
  let state = pairing.processes.get(invoke.process);
  if (state === undefined) {
    state = { open: 0, pipelined: false, retired: false };
    pairing.processes.set(invoke.process, state);
  }
  const pipelined = invoke.f === 'send';
  if (state.retired) malformed(pairing, invoke, 'its process ended with an info');
  if (state.open > 0 && !(pipelined && state.pipelined)) malformed(pairing, invoke, 'its process has another operation under way');
  state.open += 1;
  state.pipelined = pipelined;
  return operation;
}

function end(pairing: Pairing, event: Completion, position: number): void {
  const operation = pairing.open.get(event.op);
  const state = pairing.processes.get(event.process);
  if (operation === undefined || state === undefined || operation.invoke.process !== event.process || operation.invoke.f !== event.f) {
    return malformed(pairing, event, 'it completes nothing that is under way');
  }
  pairing.open.delete(event.op);
  state.open -= 1;
  state.retired ||= event.type === 'info';
  operation.outcome = event.type;
  if (event.type !== 'info') operation.to = position;
  if (event.type === 'ok') operation.ok = event;
  else operation.notOk = event;
  const tookNs = event.tNs - operation.invoke.tNs;
  if (tookNs <= (pairing.options.operationNsMax ?? Infinity)) return;
  report(pairing.found, 'late-answer', `process ${event.process}`, [event.op], () => `${event.f} took ${tookNs} ns`);
}

function malformed(pairing: Pairing, event: HistoryEvent, why: string): void {
  report(pairing.found, 'malformed-history', `process ${event.process}`, [event.op], () => `${event.type} of ${event.f}: ${why}`);
}
