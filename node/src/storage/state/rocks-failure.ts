/**
 * What a RocksDB failure means to us. The binding reports only a message and an errno
 * name, and the errno is EIO for damage and for a busy lock alike, so the message decides.
 *
 *   while     message                                   code
 *   opening   lock held                                 locked
 *   any       machine short of something (see below)    io; background-error if writing
 *   writing   anything else without a sign of damage    background-error
 *   any       anything else                             corruption
 *
 * When in doubt it is damage: the data is derived, so a needless rebuild costs time and
 * a wrong read costs correctness. Missing space, rights, files or memory are not
 * damage, because a rebuild would fail in the same way.
 */
import { StateStoreError } from '../../ports/state-store.ts';

export type Doing = 'opening' | 'reading' | 'writing';

const lockHeld = /lock hold by current process|LOCK: (Resource temporarily unavailable|No locks available)/i;
const damage = /corrupt|mismatch|bad (block|magic|table)|truncated/i;
const shortage =
  /No space left|Permission denied|Operation not permitted|Read-only file system|Too many open files|Cannot allocate memory|Disk quota exceeded|exists but is not a directory|Not a directory/i;
const closed = /session is closed|Batch is destroyed/;

export function stateStoreFailure(doing: Doing, cause: unknown): StateStoreError {
  if (cause instanceof StateStoreError) return cause;
  const reason = reasonOf(cause);
  return new StateStoreError(codeOf(doing, reason), `state store failed while ${doing}: ${reason}`, { cause });
}

function codeOf(doing: Doing, reason: string): StateStoreError['code'] {
  if (closed.test(reason)) return 'closed';
  if (doing === 'opening' && lockHeld.test(reason)) return 'locked';
  if (shortage.test(reason)) return doing === 'writing' ? 'background-error' : 'io';
  if (doing === 'writing' && !damage.test(reason)) return 'background-error';
  return 'corruption';
}

/** The binding wraps the interesting message: in a cause for a write, in an aggregate for reads. */
function reasonOf(cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(reasonOf).join('; ');
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause === undefined ? cause.message : `${cause.message}: ${reasonOf(cause.cause)}`;
}
