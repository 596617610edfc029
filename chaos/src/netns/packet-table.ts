/** Tables of the packet filter inside a namespace: set and deleted as a whole, with named counters. */
import { ToolFailed, runTool } from './tools.ts';

/** `body` in the words of nft: counters and chains. */
export async function setTable(namespace: string, table: string, body: readonly string[]): Promise<void> {
  const script = [`table inet ${table} {`, ...body, '}', ''].join('\n');
  await runTool(['ip', 'netns', 'exec', namespace, 'nft', '-f', '-'], script);
}

/** One that is gone already, maybe with its namespace, is no failure. */
export async function deleteTable(namespace: string, table: string): Promise<void> {
  try {
    await runTool(['ip', 'netns', 'exec', namespace, 'nft', 'delete', 'table', 'inet', table]);
  } catch (error) {
    if (!(error instanceof ToolFailed && error.message.includes('No such file or directory'))) throw error;
  }
}

interface CounterList {
  readonly nftables: readonly { readonly counter?: { readonly name: string; readonly packets: number } }[];
}

/** Packets by the name of the counter. */
export async function readCounters(namespace: string, table: string): Promise<ReadonlyMap<string, number>> {
  const answer = await runTool(['ip', 'netns', 'exec', namespace, 'nft', '-j', 'list', 'counters', 'table', 'inet', table]);
  const { nftables } = JSON.parse(answer) as CounterList;
  return new Map(nftables.flatMap(({ counter }) => (counter === undefined ? [] : [[counter.name, counter.packets] as const])));
}
