/** The wrappers of network, state store, machines, appends and clock: failpoints, and silence once the power is off. */
import type { Broker } from '@balsa/node/broker/broker.ts';
import { asNodeId, asRaftIndex } from '@balsa/node/core/ids.ts';
import { faultyBroker } from '@balsa/node/faults/faulty-broker.ts';
import { faultyClock } from '@balsa/node/faults/faulty-clock.ts';
import { faultyHost, faultyObserver } from '@balsa/node/faults/faulty-host.ts';
import { faultyNetwork } from '@balsa/node/faults/faulty-network.ts';
import { faultyStateStore } from '@balsa/node/faults/faulty-state-store.ts';
import type { RunningHost } from '@balsa/node/host/host.ts';
import type { StepEvent } from '@balsa/node/host/trace.ts';
import type { GroupSpec, HostedMachine } from '@balsa/node/host/vocabulary.ts';
import type { GroupMessage, Network, NetworkHandler } from '@balsa/node/ports/network.ts';
import { createMemoryStateFolder } from '@balsa/node/storage/state/memory-state-store.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFaultyDisk, type FaultyDisk, isPending } from './faulty-disk.ts';

let it: FaultyDisk;
beforeEach(() => {
  it = createFaultyDisk();
});
afterEach(() => it.clean());

const fail = (point: string): void => void it.arm({ fault: 'failpoint', point, action: 'error' });
const passed = (): readonly string[] => Object.keys(it.points.passed());

test('network: frames are lost where an error is armed, both ways, and none passes without power', async () => {
  const [sent, heard]: [string[], string[]] = [[], []];
  let inside: NetworkHandler | undefined;
  const inner = {
    start: (handler: NetworkHandler) => {
      inside = handler;
    },
    send: (_to, [first]: readonly GroupMessage[]) => void sent.push(first!.message.kind),
  } as Partial<Network> as Network;
  const network = faultyNetwork(inner, it);
  network.start({
    onMessages: (_from, [first]) => void heard.push(first!.message.kind),
    onPeerUp: () => undefined,
    onPeerLost: () => undefined,
    onReadEntries: async () => undefined,
  });
  const frame = (kind: string): GroupMessage[] => [
    { group: 1, generation: 1, message: { kind, reject: false } } as unknown as GroupMessage,
  ];
  const peer = asNodeId(2);
  fail('raft.before-send');
  network.send(peer, frame('vote-request'));
  network.send(peer, frame('append-request'));
  fail('snapshot.before-confirm');
  network.send(peer, frame('snapshot-response'));
  network.send(peer, frame('snapshot-response'));
  fail('raft.before-receive');
  inside!.onMessages(peer, frame('vote-request'));
  inside!.onMessages(peer, frame('append-request'));
  await it.power.switchOff(1);
  network.send(peer, frame('append-request'));
  inside!.onMessages(peer, frame('append-request'));
  expect(sent).toEqual(['append-request', 'snapshot-response']);
  expect(heard).toEqual(['append-request']);
  expect(it.points.passed()).toMatchObject({ 'raft.after-send': 2 });
});

test('state store: checkpoints and flushes have points, other rows have none', async () => {
  const store = faultyStateStore(await createMemoryStateFolder().open(), it);
  const [key, value] = [Uint8Array.of(1), Uint8Array.of(2)];
  await store.write([{ op: 'put', family: 'offsets', key, value }]);
  expect(passed()).toEqual([]);
  fail('checkpoint.before-write');
  const checkpoint = () => store.write([{ op: 'put', family: 'checkpoints', key, value }]);
  await expect(checkpoint()).rejects.toMatchObject({ name: 'StateStoreError', code: 'io' });
  expect(await store.get('checkpoints', key)).toBeUndefined();
  await checkpoint();
  expect(await store.get('checkpoints', key)).toEqual(value);
  await store.flush();
  expect(passed()).toEqual(['checkpoint.before-write', 'checkpoint.after-write', 'state.before-flush', 'state.after-flush']);
  await it.power.switchOff(1);
  expect(await isPending(Promise.race([store.get('meta', key), checkpoint(), store.flush()]))).toBe(true);
});

test('machines: points around apply and restore of every group that is opened', async () => {
  const done: string[] = [];
  const machine = {
    apply: () => {
      done.push(`apply behind ${passed().at(-1)}`);
      return ['outcome'];
    },
    restore: () => void done.push(`restore behind ${passed().at(-1)}`),
  } as Partial<HostedMachine> as HostedMachine;
  const host = {
    open: async (spec: GroupSpec) => {
      spec.machine.restore(undefined);
      done.push(String(spec.machine.apply([])[0]));
    },
  } as Partial<RunningHost> as RunningHost;
  await faultyHost(host, it.points).open({ machine } as GroupSpec);
  expect(done).toEqual(['restore behind machine.before-restore', 'apply behind machine.before-apply', 'outcome']);
  expect(passed().filter((name) => name.includes('after'))).toEqual(['machine.after-restore', 'machine.after-apply']);
});

test('members: a change has a point when it goes to the journal, and one when it is committed', () => {
  const told: unknown[] = [];
  const observer = faultyObserver({ onStep: (event) => told.push(event) }, it.points);
  const step = (effects: unknown): void => observer.onStep?.({ group: 7, effects } as StepEvent<Uint8Array>);
  const committed = (first: number, last: number) => ({ committed: { first: asRaftIndex(first), last: asRaftIndex(last) } });
  step({ write: { entries: [{ kind: 'command', index: 3 }] }, ...committed(1, 3) });
  expect(passed()).toEqual([]);
  step({ write: { entries: [{ kind: 'membership', index: 5 }] } });
  expect(passed()).toEqual(['membership.before-write']);
  step(committed(4, 4));
  expect(passed()).toEqual(['membership.before-write']);
  step(committed(5, 6));
  step(committed(7, 8));
  expect(it.points.passed()).toEqual({ 'membership.before-write': 1, 'membership.after-commit': 1 });
  expect(told.length).toBe(5);
});

test('appends: an error before or after is told as INTERNAL, and nothing is answered without power', async () => {
  let appended = 0;
  const inner = { produce: async () => ({ appended: ++appended }) } as unknown as Broker;
  const broker = faultyBroker(inner, it);
  const produce = (): Promise<unknown> => broker.produce({} as Parameters<Broker['produce']>[0]);
  fail('produce.before-append');
  await expect(produce()).rejects.toMatchObject({ name: 'BrokerError', code: 'INTERNAL' });
  expect(appended).toBe(0);
  fail('produce.before-answer');
  await expect(produce()).rejects.toMatchObject({ code: 'INTERNAL', message: expect.stringContaining('produce.before-answer') });
  expect(await produce()).toEqual({ appended: 2 });
  await it.power.switchOff(1);
  expect(await isPending(produce())).toBe(true);
});

test('an append that waits for a disk is not waited for when the power goes', async () => {
  const begun = Promise.withResolvers<void>();
  const inner = {
    produce: () => {
      begun.resolve();
      return new Promise<never>(() => undefined);
    },
  } as unknown as Broker;
  void faultyBroker(inner, it).produce({} as Parameters<Broker['produce']>[0]);
  await begun.promise;
  // The clock stands still: the limit of the wait is never reached.
  await it.power.switchOff(1_000);
});

test('clock: the wall clock is off by what was said, until it heals; monotonic time is not', () => {
  const clock = faultyClock(it.clock, it.board);
  it.clock.advance(1000);
  it.arm({ fault: 'clock-step', byMs: 288_000, ttlMs: 500 });
  it.arm({ fault: 'clock-step', byMs: -88_000, ttlMs: 700 });
  expect([clock.wallMs(), clock.monotonicMs()]).toEqual([201_000, 1000]);
  it.clock.advance(500);
  expect(clock.wallMs()).toBe(1500 - 88_000);
  it.clock.advance(200);
  expect([clock.wallMs(), clock.monotonicMs()]).toEqual([1700, 1700]);
});
