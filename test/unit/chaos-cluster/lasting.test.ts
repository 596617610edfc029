/** A fault with an end: by its time or by whoever heals it, and only once. */
import { applyFor, ttlMsMax } from '@balsa/chaos/cluster/lasting.ts';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const hour = 3_600_000;

test('heals by itself when its time is over, not before', async () => {
  const undo = vi.fn<() => void>();
  const fault = await applyFor(() => undo, 1_000);
  await vi.advanceTimersByTimeAsync(999);
  expect([undo.mock.calls.length, fault.ended()]).toEqual([0, undefined]);
  await vi.advanceTimersByTimeAsync(1);
  expect([undo.mock.calls.length, fault.ended()]).toEqual([1, 'expired']);
  await fault.heal();
  expect([undo.mock.calls.length, fault.ended()]).toEqual([1, 'expired']);
});

test('healed before, it is healed once, and its time does not come', async () => {
  const undo = vi.fn<() => void>();
  const fault = await applyFor(() => undo, 1_000);
  await Promise.all([fault.heal(), fault.heal()]);
  expect(vi.getTimerCount()).toBe(0);
  await vi.advanceTimersByTimeAsync(hour);
  expect([undo.mock.calls.length, fault.ended()]).toEqual([1, 'healed']);
});

test('its time begins when it has taken effect', async () => {
  const undo = vi.fn<() => void>();
  const applied = Promise.withResolvers<() => void>();
  const applying = applyFor(() => applied.promise, 1_000);
  await vi.advanceTimersByTimeAsync(hour);
  applied.resolve(undo);
  await applying;
  await vi.advanceTimersByTimeAsync(999);
  expect(undo).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(undo).toHaveBeenCalledOnce();
});

test('nobody is told before it is over', async () => {
  const undone = Promise.withResolvers<void>();
  const fault = await applyFor(() => () => undone.promise, 1_000);
  let told = false;
  const healing = fault.heal().then(() => (told = true));
  await vi.advanceTimersByTimeAsync(10);
  expect([told, fault.ended()]).toEqual([false, undefined]);
  undone.resolve();
  await healing;
  expect(fault.ended()).toBe('healed');
});

test('leaving its scope heals it', async () => {
  const undo = vi.fn<() => void>();
  {
    await using _fault = await applyFor(() => undo, 1_000);
  }
  expect(undo).toHaveBeenCalledOnce();
});

test('a failure to heal is told to all who ask, also if it happened when the time was over', async () => {
  const fault = await applyFor(() => () => Promise.reject(new Error('stuck')), 1_000);
  await vi.advanceTimersByTimeAsync(1_000);
  await expect(fault.heal()).rejects.toThrow('stuck');
  await expect(fault.heal()).rejects.toThrow('stuck');
  expect(fault.ended()).toBeUndefined();
});

test('a fault that fails to take effect leaves nothing', async () => {
  await expect(applyFor(() => Promise.reject(new Error('no such node')), 1_000)).rejects.toThrow('no such node');
  expect(vi.getTimerCount()).toBe(0);
});

test.each([0, -1, ttlMsMax + 1, Number.POSITIVE_INFINITY, Number.NaN])('%d ms is no time', async (ttlMs) => {
  const fault = vi.fn<() => () => void>();
  await expect(applyFor(fault, ttlMs)).rejects.toThrow('a fault lasts up to');
  expect(fault).not.toHaveBeenCalled();
});
