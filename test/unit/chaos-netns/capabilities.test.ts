/** What is told of a machine that allows all, some or nothing of the stronger tier. */
import { type Machine, tryOut } from '@balsa/chaos/netns/capabilities.ts';
import { expect, test } from 'vitest';

const names = ['network-namespaces', 'packet-filter', 'rate-limit'] as const;

/** A machine that allows everything, except for what is changed. */
function machine(change: Partial<Machine> & { readonly failing?: string; readonly without?: string } = {}) {
  const commands: string[] = [];
  const it: Machine = {
    platform: 'linux',
    user: 0,
    hasTool: (name) => name !== change.without,
    run: (command) => {
      commands.push(command.join(' '));
      const fails = change.failing !== undefined && command.join(' ').includes(change.failing);
      return fails ? Promise.reject(new Error(`${command[0]}: Operation not permitted (2)`)) : Promise.resolve('');
    },
    ...change,
  };
  return { it, commands };
}

test('everything, tried in a namespace of its own', async () => {
  const { it, commands } = machine();
  const found = await tryOut(it, 'balsa-x-trial');
  expect(found.map(({ name, available }) => ({ name, available }))).toEqual(names.map((name) => ({ name, available: true })));
  expect(commands.length).toBeGreaterThan(3);
  expect(commands.every((command) => command.includes('balsa-x-trial'))).toBe(true);
});

test.each([
  [machine({ platform: 'darwin', user: 501 }), 'needs Linux; this is darwin'],
  [machine({ user: 1000 }), 'needs root; this process runs as user 1000'],
  [machine({ without: 'ip' }), 'the program ip is not installed (package iproute2)'],
  [machine({ failing: 'netns add' }), 'ip: Operation not permitted (2)'],
])('no namespaces: nothing, and all say why (%#)', async ({ it, commands }, why) => {
  expect(await tryOut(it, 'trial')).toEqual([
    { name: 'network-namespaces', available: false, reason: why },
    { name: 'packet-filter', available: false, reason: `needs network-namespaces: ${why}` },
    { name: 'rate-limit', available: false, reason: `needs network-namespaces: ${why}` },
  ]);
  expect(commands.filter((command) => !command.includes('netns add'))).toEqual([]);
});

test.each([
  [machine({ without: 'nft' }), 'packet-filter', 'the program nft is not installed (package nftables)'],
  [machine({ failing: 'nft -f' }), 'packet-filter', 'ip: Operation not permitted (2)'],
  [machine({ without: 'tc' }), 'rate-limit', 'the program tc is not installed (package iproute2)'],
  [machine({ failing: 'tbf' }), 'rate-limit', 'tc: Operation not permitted (2)'],
])('one thing is missing, the others are not (%#)', async ({ it }, missing, why) => {
  const found = await tryOut(it, 'trial');
  expect(found.filter(({ available }) => !available)).toEqual([{ name: missing, available: false, reason: why }]);
});
