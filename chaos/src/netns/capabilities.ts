/**
 * What of the stronger tier this machine allows, found out by trying. The tier is an offer:
 * nothing requires it, and what is missing is told with its reason, not passed over.
 */
import { randomInt } from 'node:crypto';
import { startGuard } from '../cluster/guard.ts';
import { freshPrefix } from './names.ts';
import { findTool, resolved, runTool } from './tools.ts';

export type CapabilityName = 'network-namespaces' | 'packet-filter' | 'rate-limit';

export interface Capability {
  readonly name: CapabilityName;
  readonly available: boolean;
  /** What was tried with success, or what is in the way. */
  readonly reason: string;
}

/** What detection asks of the machine. */
export interface Machine {
  readonly platform: string;
  /** Undefined where users have no numbers. */
  readonly user: number | undefined;
  readonly hasTool: (name: string) => boolean;
  /** Rejects with what it complained about. */
  readonly run: (command: readonly string[], input?: string) => Promise<unknown>;
}

interface Trial {
  readonly name: CapabilityName;
  /** Packages by the program that they are needed for. */
  readonly tool: readonly [program: string, packageName: string];
  readonly proof: string;
  readonly attempt: (machine: Machine, namespace: string) => Promise<unknown>;
}

const ruleset = `table inet trial {
  chain in {
    type filter hook input priority 0;
    ip saddr 192.0.2.1 counter drop
    ip saddr 192.0.2.1 meta l4proto tcp counter reject with tcp reset
  }
}`;

/** Each needs those before it. */
const trials: readonly Trial[] = [
  {
    name: 'network-namespaces',
    tool: ['ip', 'iproute2'],
    proof: 'a namespace and a pair of interfaces were made',
    attempt: async ({ run }, namespace) => {
      await run(['ip', 'netns', 'add', namespace]);
      await run(['ip', '-n', namespace, 'link', 'add', 'one', 'type', 'veth', 'peer', 'name', 'other']);
      await run(['ip', '-n', namespace, 'link', 'add', 'hub', 'type', 'bridge']);
    },
  },
  {
    name: 'packet-filter',
    tool: ['nft', 'nftables'],
    proof: 'rules that drop and reject were set',
    attempt: ({ run }, namespace) => run(['ip', 'netns', 'exec', namespace, 'nft', '-f', '-'], ruleset),
  },
  {
    name: 'rate-limit',
    tool: ['tc', 'iproute2'],
    proof: 'a token bucket was put on an interface',
    attempt: ({ run }, namespace) =>
      run(['tc', '-n', namespace, 'qdisc', 'add', 'dev', 'one', 'root', 'tbf', 'rate', '1mbit', 'burst', '32kb', 'latency', '100ms']),
  },
];

/** In the order of `CapabilityName`; what was made for it is gone afterwards. */
export async function detectCapabilities(): Promise<readonly Capability[]> {
  const guard = startGuard();
  const namespace = `${freshPrefix(randomInt)}-trial`;
  try {
    if (findTool('ip') !== undefined) guard.undo(resolved(['ip', 'netns', 'del', namespace]));
    return await tryOut(thisMachine, namespace);
  } finally {
    await guard.release();
  }
}

export async function tryOut(machine: Machine, namespace: string): Promise<readonly Capability[]> {
  const found: Capability[] = [];
  for (const trial of trials) {
    const [base] = found;
    const reason = base?.available === false ? `needs ${base.name}: ${base.reason}` : await obstacle(machine, trial, namespace);
    found.push({ name: trial.name, available: reason === undefined, reason: reason ?? trial.proof });
  }
  return found;
}

/** Undefined if there is none. */
async function obstacle(machine: Machine, { tool: [tool, packageName], attempt }: Trial, namespace: string): Promise<string | undefined> {
  if (machine.platform !== 'linux') return `needs Linux; this is ${machine.platform}`;
  if (machine.user !== 0) return `needs root; this process runs as user ${machine.user}`;
  if (!machine.hasTool(tool)) return `the program ${tool} is not installed (package ${packageName})`;
  try {
    await attempt(machine, namespace);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const thisMachine: Machine = {
  platform: process.platform,
  user: process.getuid?.(),
  hasTool: (name) => findTool(name) !== undefined,
  run: runTool,
};
