/**
 * Exceptions that nobody caught belong to the run that is under way. A real process would end
 * with them, so they fail the run.
 */
export interface Strays {
  /** Resolves when what the run left behind has been heard. */
  readonly stop: () => Promise<void>;
}

export function catchStrays(onStray: (error: unknown) => void): Strays {
  process.on('unhandledRejection', onStray);
  process.on('uncaughtException', onStray);
  return {
    stop: async () => {
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      process.off('unhandledRejection', onStray);
      process.off('uncaughtException', onStray);
    },
  };
}
