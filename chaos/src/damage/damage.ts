/**
 * Damage to the files of a stopped node, and its proof: what was at a place before, and
 * what is there now, both read from the disk.
 *
 * Failure contract: damage that would change nothing (there is no such file, it is empty,
 * the older copy is the same) is refused with NothingToDamage, never reported as done.
 * Chance comes from a seeded stream, so that a run strikes the same places again.
 */
import { assert } from '@balsa/node/core/assert.ts';
import type { Random } from '@balsa/node/ports/random.ts';
import type { ChaosNode } from '../cluster/chaos-node.ts';
import { contentOf } from './content.ts';

export type DamageKind =
  | 'bit-flip'
  | 'zero-page'
  | 'truncated-tail'
  | 'truncated-middle'
  | 'swapped'
  | 'duplicated'
  | 'stale'
  | 'deleted'
  | 'wiped'
  | 'foreign'
  | 'restored';

export interface Damage {
  readonly kind: DamageKind;
  /** The file or folder. */
  readonly path: string;
  /** Of the first byte that changed; undefined where the path as a whole did. */
  readonly position?: number;
  /** Bytes in hex, or what the path held in short. */
  readonly before: string;
  readonly after: string;
}

export type Chance = Pick<Random, 'below'>;

export class NothingToDamage extends Error {
  override readonly name: string = 'NothingToDamage';
}

/** The data folder of a node; only one without a process can be damaged by this side. */
export function stoppedFolder(node: ChaosNode): string {
  assert(node.state() === 'down', 'only a stopped node is damaged offline', { id: node.id, state: node.state() });
  return node.dir;
}

/** Runs `action`, which changes `path`, and compares. */
export function damaged(kind: DamageKind, path: string, action: () => void): Damage {
  const before = contentOf(path);
  action();
  const after = contentOf(path);
  if (before === after) throw new NothingToDamage(`${path} is as it was before (${before}); it was to be ${kind}`);
  return { kind, path, before, after };
}

export function pick<Item>(random: Chance, items: readonly Item[], what: string): Item {
  const item = items.length === 0 ? undefined : items[random.below(items.length)];
  if (item === undefined) throw new NothingToDamage(`there is ${what}`);
  return item;
}
