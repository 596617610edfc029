/** Maps of who does not hear whom, as sets of ways that are cut. Pure. */
import type { Way } from './paths.ts';

const pairs = (from: readonly number[], to: readonly number[]): readonly Way[] =>
  from.flatMap((one) => to.filter((other) => other !== one).map((other) => ({ from: one, to: other })));

const without = (all: readonly number[], some: readonly number[]): readonly number[] => all.filter((node) => !some.includes(node));

const bothWays = (one: readonly number[], other: readonly number[]): readonly Way[] => [...pairs(one, other), ...pairs(other, one)];

function distinct(ways: readonly Way[]): readonly Way[] {
  return [...new Map(ways.map((way) => [`${way.from}-${way.to}`, way])).values()];
}

/** Each of the nodes by itself, also apart from each other. */
export const alone = (all: readonly number[], nodes: readonly number[]): readonly Way[] => distinct(bothWays(nodes, all));

/** The nodes hear each other and nobody else. */
export const together = (all: readonly number[], nodes: readonly number[]): readonly Way[] => bothWays(nodes, without(all, nodes));

/** The smaller half begins with the nodes. */
export function halves(all: readonly number[], nodes: readonly number[]): readonly Way[] {
  const ordered = [...nodes, ...without(all, nodes)];
  return together(all, ordered.slice(0, Math.floor(all.length / 2)));
}

/** What the nodes say is lost. */
export const muted = (all: readonly number[], nodes: readonly number[]): readonly Way[] => pairs(nodes, all);

/** What is said to the nodes is lost. */
export const heardOnly = (all: readonly number[], nodes: readonly number[]): readonly Way[] => pairs(all, nodes);

/** Halves of all others; the node hears both and is heard by both. */
export function bridged(all: readonly number[], node: number): readonly Way[] {
  const others = without(all, [node]);
  const half = others.slice(0, Math.ceil(others.length / 2));
  return bothWays(half, without(others, half));
}

/** Node i hears the next nodes in the ring up to a majority with itself, and nobody else. */
export function ringed(all: readonly number[]): readonly Way[] {
  const majority = Math.floor(all.length / 2) + 1;
  return all.flatMap((to, i) => all.filter((_, j) => (j - i + all.length) % all.length >= majority).map((from) => ({ from, to })));
}
