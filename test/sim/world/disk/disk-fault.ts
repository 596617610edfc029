/** What can go wrong on a disk, as a run's log names it. */

/** Faults after which bytes that were synced are gone or wrong. */
export const damageKinds = ['bit-rot', 'zero-page', 'stale-page', 'misdirected-write', 'truncated-file', 'removed-file'] as const;
export type DamageKind = (typeof damageKinds)[number];

export type DiskFaultKind = DamageKind | 'read-error' | 'write-error' | 'sync-error' | 'no-space' | 'stall' | 'power-loss';

export interface DiskFault<Kind extends DiskFaultKind = DiskFaultKind> {
  readonly kind: Kind;
  /** A file or folder; of a power loss, the root. */
  readonly path: string;
  /** Where in the file it begins. */
  readonly position: number;
  /** Bytes that are wrong, missing or were not written. */
  readonly bytes: number;
  readonly detail?: string;
}

export type Damage = DiskFault<DamageKind>;

/** Whether a fault of this kind can take away the only good copy of something acknowledged. */
export function harmsDurable(kind: DiskFaultKind): boolean {
  // A node that cannot read its journal may take it for damaged.
  return kind === 'read-error' || damageKinds.some((damage) => damage === kind);
}
