/**
 * A signal that is aborted by the first SIGINT, SIGTERM or SIGHUP, so that the program can
 * stop in order. A second one ends the process at once; it counts only after a moment,
 * because one Ctrl-C can arrive twice: from the terminal and from a launcher.
 */
const secondSignalMsMin = 500;
const exitInterrupted = 130;

export function interruption(): AbortSignal {
  const controller = new AbortController();
  let firstMs: number | undefined;
  const onSignal = (): void => {
    const nowMs = performance.now();
    if (firstMs !== undefined && nowMs - firstMs >= secondSignalMsMin) process.exit(exitInterrupted);
    firstMs ??= nowMs;
    controller.abort();
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  return controller.signal;
}

/** Settles when the signal is aborted. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => {
    signal.addEventListener('abort', resolve, { once: true });
  });
}
