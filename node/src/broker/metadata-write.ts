/** Writes to the cluster metadata. They succeed on the metadata leader only and name it elsewhere. */
import { metadataGroup } from '../core/ids.ts';
import type { MetadataCommand } from '../core/machines/metadata/command.ts';
import { encodeMetadataCommand } from '../core/machines/metadata/command-codec.ts';
import type { Done, MetadataOutcome } from '../core/machines/metadata/outcome.ts';
import { BrokerError, brokerError, viaHost } from './broker-error.ts';
import type { BrokerState } from './broker-state.ts';
import { metadataSubject } from './metadata-replica.ts';

/** The outcome that answers a command of this type; one outcome may answer several types. */
type DoneOf<Type extends MetadataCommand['type'], Each = Done> = Each extends { readonly command: infer Answered }
  ? Type extends Answered
    ? Each
    : never
  : never;

/** Resolves once the command is applied here; a refusal of the machine rejects with its code. */
export async function writeMetadata<Command extends MetadataCommand>(
  broker: BrokerState,
  command: Command,
  timeoutMs: number,
): Promise<DoneOf<Command['type']>> {
  const options = { durability: 'quorum', timeoutMs } as const;
  const { outcome } = await viaHost(metadataSubject, broker.host.propose(metadataGroup, encodeMetadataCommand(command), options));
  const said = outcome as MetadataOutcome;
  if (said.kind === 'refused') throw new BrokerError(said.code, said.message);
  if (!isDoneOf(said, command)) throw brokerError('INTERNAL', 'The metadata answered another command.');
  return said;
}

function isDoneOf<Command extends MetadataCommand>(done: Done, command: Command): done is Done & DoneOf<Command['type']> {
  return done.command === command.type;
}
