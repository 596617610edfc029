/** Entry of the `balsa` command on a Node that runs TypeScript; balsa.js finds such a Node. */
import { runCli } from './program.ts';
import { processIo } from './terminal/process-io.ts';

// exitCode, not exit(): what was written to a pipe must leave before the process does.
process.exitCode = await runCli(process.argv.slice(2), processIo());
