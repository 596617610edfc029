/** Writes a line every few milliseconds, and says of each that it was added, until somebody kills it. */
import { openLineFile } from '@balsa/chaos/record/line-file.ts';

const lines = openLineFile(process.argv[2]!);
let n = 0;
setInterval(() => {
  n += 1;
  lines.add({ n, padding: 'x'.repeat(500) });
  process.stdout.write(`${JSON.stringify({ n, atMs: performance.now() })}\n`);
}, 5);
