/** Why a local cluster could not be started or did not become ready. Codes are those of the error table. */
import type { ErrorCode } from '@balsa/proto/errors';

export class LocalClusterError extends Error {
  override readonly name: string = 'LocalClusterError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
