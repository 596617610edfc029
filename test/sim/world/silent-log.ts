/** A log for processes whose words nobody reads. */
import type { Logger } from '@balsa/node/telemetry/logger.ts';

const nothing = (): void => {};

export const silentLog = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  fatal: nothing,
  trace: nothing,
} as unknown as Logger;
