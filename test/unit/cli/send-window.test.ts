import { describe, expect, test } from 'vitest';
import { SendWindow } from '../../../client/cli/send-window.ts';

/** Whether a promise has settled after everything that is due has run. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  promise.then(
    () => (done = true),
    () => (done = true),
  );
  await new Promise(setImmediate);
  return done;
}

describe('send window', () => {
  test('has room for a number of sends, and again when one settles', async () => {
    const window = new SendWindow(2);
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    await window.room();
    window.add(first.promise);
    await window.room();
    window.add(second.promise);
    const room = window.room();
    expect(await settled(room)).toBe(false);
    first.resolve();
    expect(await settled(room)).toBe(true);
    const drained = window.drain();
    expect(await settled(drained)).toBe(false);
    second.resolve();
    await drained;
  });

  test('reports the first failure to whoever waits, and to everybody after', async () => {
    const window = new SendWindow(1);
    const send = Promise.withResolvers<void>();
    window.add(send.promise);
    const room = window.room();
    send.reject(new Error('no leader'));
    await expect(room).rejects.toThrow('no leader');
    await expect(window.room()).rejects.toThrow('no leader');
    await expect(window.drain()).rejects.toThrow('no leader');
  });

  test('drains at once when nothing is under way', async () => {
    await new SendWindow(1).drain();
  });
});
