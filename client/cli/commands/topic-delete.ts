/** `balsa topic delete`. */
import type { Command } from 'commander';
import { during } from '../cli-error.ts';
import { withCluster, withExamples } from '../command.ts';
import type { ClusterOptions } from '../command.ts';
import { withBalsa } from '../connection.ts';
import { confirm } from '../terminal/confirm.ts';
import type { Io } from '../terminal/io.ts';
import { printDone } from '../terminal/output.ts';

interface DeleteOptions extends ClusterOptions {
  readonly yes?: boolean;
}

export function registerTopicDelete(parent: Command, io: Io): void {
  const command = withCluster(parent.command('delete <topic>'))
    .alias('rm')
    .description('Deletes a topic and all its records, for good.')
    .option('-y, --yes', 'do not ask')
    .action((topic: string, options: DeleteOptions) => remove(io, topic, options));
  withExamples(command, 'balsa topic delete orders', 'balsa topic delete orders --yes');
}

async function remove(io: Io, name: string, options: DeleteOptions): Promise<void> {
  await withBalsa(io, options, async (balsa) => {
    const failure = `cannot delete topic "${name}"`;
    // A name that does not exist is an answer; asking first whether to delete it would be a trap.
    await during(failure, () => balsa.admin.topics.describe(name, { signal: io.signal }));
    await confirm(io, `delete topic "${name}" and all its records`, options.yes === true);
    await during(failure, () => balsa.admin.topics.delete(name, { signal: io.signal }));
    await printDone(io, options.output, `topic ${name} deleted`, { name, deleted: true });
  });
}
