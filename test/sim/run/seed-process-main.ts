/**
 * A process of a batch: runs the seeds that the parent sends, one at a time, and ends with it.
 * Ctrl-C reaches the whole process group; what it means is for the parent to decide.
 */
import { runSeed, type SeedRequest } from './seed-outcome.ts';

process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit(0));
process.on('message', (request: SeedRequest) => {
  void runSeed(request).then((outcome) => process.send?.(outcome));
});
