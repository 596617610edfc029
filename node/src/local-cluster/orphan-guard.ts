/**
 * Preloaded into every broker of a local cluster: when the supervising process is gone,
 * even by kill -9, its end of the channel closes and the broker stops by itself. Without
 * this, a killed supervisor would leave brokers behind that hold ports and data folders.
 */
if (process.connected) {
  process.channel?.unref();
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
}
