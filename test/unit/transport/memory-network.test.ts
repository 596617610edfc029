/** The faults that the in-memory network can make, under a clock that the test moves. */
import { asNodeId } from '@balsa/node/core/ids.ts';
import type { Network } from '@balsa/node/ports/network.ts';
import { createMemoryHub } from '@balsa/node/transport/memory-network.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import { append, createRecorder, heartbeat, type Recorder } from '../../contract/harness/recorder.ts';
import { createManualClock, type ManualClock } from './manual-clock.ts';

const [one, two] = [asNodeId(1), asNodeId(2)];

describe('memory network', () => {
  let clock: ManualClock;
  let hub: ReturnType<typeof createMemoryHub>;
  let heard: readonly [Recorder, Recorder];
  let networks: readonly [Network, Network];

  beforeEach(() => {
    clock = createManualClock();
    hub = createMemoryHub({ clock, nodes: [one, two], noticeMs: 1000 });
    heard = [createRecorder(), createRecorder()];
    networks = [hub.attach(one), hub.attach(two)];
    networks[0].start(heard[0]);
    networks[1].start(heard[1]);
    clock.advance(0);
  });

  const beat = (round: number): void => networks[0].send(two, [heartbeat(1, 2, round)]);
  const rounds = (): number[] => heard[1].messages().map(({ message }) => (message.kind === 'heartbeat-request' ? message.readRound : -1));

  it('delivers in a later turn, never inside send', () => {
    beat(1);
    expect(rounds()).toEqual([]);
    clock.advance(0);
    expect(rounds()).toEqual([1]);
  });

  it('delays, and keeps the order when the delay shrinks', () => {
    hub.delay(one, two, 50);
    beat(1);
    hub.delay(one, two, 0);
    beat(2);
    clock.advance(49);
    expect(rounds()).toEqual([]);
    clock.advance(1);
    expect(rounds()).toEqual([1, 2]);
  });

  it('delays one channel without the other', () => {
    hub.delay(one, two, 50, 'bulk');
    networks[0].send(two, [append(1, 2, 1, Uint8Array.of(1)), heartbeat(1, 2, 1)]);
    clock.advance(0);
    expect(rounds()).toEqual([1]);
    clock.advance(50);
    expect(rounds()).toEqual([1, -1]);
  });

  it('holds messages and releases them in order', () => {
    beat(1);
    hub.hold(one, two);
    beat(2);
    beat(3);
    clock.advance(500);
    expect(rounds()).toEqual([1]);
    expect(networks[0].queuedBytes(two)).toBeGreaterThan(0);
    hub.release(one, two);
    beat(4);
    clock.advance(0);
    expect(rounds()).toEqual([1, 2, 3, 4]);
    expect(networks[0].queuedBytes(two)).toBe(0);
  });

  it('cuts one direction silently, and closes the link when the cut lasts', () => {
    hub.cut(one, two);
    beat(1);
    networks[1].send(one, [heartbeat(2, 1, 9)]);
    clock.advance(999);
    expect(rounds()).toEqual([]);
    expect(heard[0].messages()).toHaveLength(1);
    expect(networks[0].isConnected(two)).toBe(true);
    clock.advance(1);
    expect([heard[0].peers, heard[1].peers].map((events) => events.at(-1))).toEqual(['lost 2', 'lost 1']);
    hub.heal(one, two);
    clock.advance(0);
    expect([heard[0].peers, heard[1].peers].map((events) => events.at(-1))).toEqual(['up 2', 'up 1']);
  });

  it('does not close a link whose cut healed in time, even if it is cut again', () => {
    hub.cut(one, two);
    clock.advance(900);
    hub.heal(one, two);
    hub.cut(one, two);
    clock.advance(900);
    expect(heard[0].peers.at(-1)).toBe('up 2');
    clock.advance(100);
    expect(heard[0].peers.at(-1)).toBe('lost 2');
  });

  it('loses what is under way when a link breaks, and reports both turns of a short break', () => {
    hub.delay(one, two, 50);
    beat(1);
    hub.disconnect(one, two);
    hub.connect(one, two);
    beat(2);
    clock.advance(100);
    expect(rounds()).toEqual([2]);
    expect(heard[0].peers.slice(-2)).toEqual(['lost 2', 'up 2']);
  });

  it('forgets a crashed node, and takes its next life', () => {
    networks[1].send(one, [heartbeat(2, 1, 1)]);
    hub.crash(two);
    clock.advance(0);
    expect(heard[0].messages()).toEqual([]);
    expect(heard[0].peers.at(-1)).toBe('lost 2');
    expect(heard[1].peers.at(-1)).toBe('up 1');
    const next = createRecorder();
    const network = hub.attach(two);
    network.start(next);
    clock.advance(0);
    beat(5);
    clock.advance(0);
    expect(next.messages()).toEqual([heartbeat(1, 2, 5)]);
    expect(rounds()).toEqual([]);
    expect(networks[1].isConnected(one)).toBe(false);
  });
});
