/**
 * All settings of a node, once: names, types, limits, defaults and help. The help
 * page, the checks and the documentation come from here.
 *
 * Settings are two levels deep, `section.key`. A unit stands last in the name (`Ms`,
 * `Bytes`); `Max` means the largest value that is accepted.
 */
import * as z from 'zod';
import { members, nodeId } from './members.ts';
import { bytes, endpoint, GiB, KiB, MiB, milliseconds } from './units.ts';

const second = 1000;
const day = 24 * 60 * 60 * second;

const node = z.strictObject({
  id: nodeId().default(1).describe('Id of this node, unique in the cluster; it never changes'),
  zone: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, 'expected 1 to 64 letters, digits, dots, underscores or hyphens')
    .default('default')
    .describe('Failure domain; replicas of a partition are spread over zones'),
});

const cluster = z.strictObject({
  members: members().default([]).describe('Members as id=host:peerPort/host:clientPort, the same on every node; empty: this node alone'),
});

const listen = z.strictObject({
  client: endpoint().default('127.0.0.1:7070').describe('Address of the client API (gRPC); port 0 takes a free one'),
  peer: endpoint().default('127.0.0.1:7080').describe('Address of the node-to-node API (gRPC)'),
  http: endpoint().default('127.0.0.1:7090').describe('Address of health checks and metrics (HTTP)'),
});

const advertise = z.strictObject({
  client: endpoint().optional().describe('Client address told to others; default: the member entry, else the listening address'),
  peer: endpoint().optional().describe('Node-to-node address told to others; default as above'),
  http: endpoint().optional().describe('HTTP address told to others; default: the listening address'),
});

const data = z.strictObject({
  dir: z.string().min(1).default('.balsa/data').describe('Folder of journal and index; belongs to this node alone'),
});

const raft = z.strictObject({
  tickMs: milliseconds(1, 10 * second)
    .default(50)
    .describe('Length of a tick, the grain of all Raft timers'),
  heartbeatMs: milliseconds(1, 60 * second)
    .default(100)
    .describe('Pause between heartbeats of a leader'),
  electionMsMin: milliseconds(1, 60 * second)
    .default(500)
    .describe('Shortest silence of a leader before an election'),
  electionMsMax: milliseconds(1, 120 * second)
    .default(1000)
    .describe('Longest silence of a leader before an election'),
  appendBytesMax: bytes(64 * KiB, 64 * MiB)
    .default(MiB)
    .describe('Entry bytes in one message to a follower'),
  inflightBytesMax: bytes(MiB, GiB)
    .default(16 * MiB)
    .describe('Entry bytes under way to one follower of a group'),
  uncommittedBytesMax: bytes(MiB, GiB)
    .default(64 * MiB)
    .describe('Uncommitted bytes of a group before it refuses writes (OVERLOADED)'),
});

const journal = z.strictObject({
  segmentBytes: bytes(48 * MiB, 2 * GiB)
    .default(64 * MiB)
    .describe('Size of a journal segment; the largest batch of any topic must fit into one'),
  cacheBytes: bytes(MiB, 64 * GiB)
    .default(128 * MiB)
    .describe('Newest entries kept in memory for followers and readers'),
  fullFreeBytesMin: bytes(0, 1024 * GiB)
    .default(256 * MiB)
    .describe('Free disk space below which writes are refused (DISK_FULL)'),
  scrubBytesPerSecond: bytes(KiB, GiB)
    .default(8 * MiB)
    .describe('Rate at which data that nobody reads is verified in the background'),
  scrubPassMs: milliseconds(second, 30 * day)
    .default(60 * 60 * second)
    .describe('Pause before each round of that verification'),
  reclaimMs: milliseconds(100, day)
    .default(10 * second)
    .describe('Pause between rounds that delete unneeded segments'),
});

const limits = z.strictObject({
  produceBytesInflightMax: bytes(MiB, 64 * GiB)
    .default(64 * MiB)
    .describe('Batch bytes not yet answered, whole node; beyond: OVERLOADED'),
  fetchBytesInflightMax: bytes(MiB, 64 * GiB)
    .default(128 * MiB)
    .describe('Bytes read and not yet sent, whole node; readers wait beyond it'),
  produceStreamBytesMax: bytes(64 * KiB, GiB)
    .default(16 * MiB)
    .describe('Batch bytes in work on one produce stream; it is not read beyond it'),
  fetchStreamBytesMax: bytes(64 * KiB, GiB)
    .default(8 * MiB)
    .describe('Bytes read for one fetch stream and not yet sent'),
  streamRequestsInflightMax: z
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(1024)
    .describe('Requests in work on one stream; not read beyond it'),
  streamStallMs: milliseconds(100, day)
    .default(30 * second)
    .describe('A client that takes none of its answers for so long loses its stream'),
  streamsMax: z.number().int().min(1).max(1_000_000).default(2000).describe('Open produce and fetch streams; beyond: OVERLOADED'),
  unaryInflightMax: z.number().int().min(1).max(1_000_000).default(1000).describe('Single calls in work; beyond: OVERLOADED'),
  fetchBytesMax: bytes(KiB, 64 * MiB)
    .default(16 * MiB)
    .describe('Largest answer to one fetch (but always one whole batch)'),
  fetchWaitMsMax: milliseconds(0, 5 * 60 * second)
    .default(30 * second)
    .describe('Longest wait of a fetch for data'),
  requestTimeoutMs: milliseconds(100, 5 * 60 * second)
    .default(10 * second)
    .describe('Time for a request that names none'),
  requestTimeoutMsMax: milliseconds(100, 60 * 60 * second)
    .default(60 * second)
    .describe('Longest time a request may ask for'),
});

const topics = z.strictObject({
  partitions: z.number().int().min(1).max(10_000).default(1).describe('Partitions of a topic created without a number'),
  replicationFactor: z
    .number()
    .int()
    .min(0)
    .max(7)
    .default(0)
    .describe('Replicas of a topic created without a number; 0: three, or all nodes if fewer'),
});

const maintenance = z.strictObject({
  retentionCheckMs: milliseconds(100, day)
    .default(30 * second)
    .describe('Pause between rounds that look for expired records'),
  balanceCheckMs: milliseconds(100, day)
    .default(2 * second)
    .describe('Pause between rounds that give leadership back to preferred replicas'),
  balanceStableMs: milliseconds(0, day)
    .default(10 * second)
    .describe('How long a preferred replica must be caught up before it leads again'),
  stopMs: milliseconds(0, 10 * 60 * second)
    .default(10 * second)
    .describe('Time for a graceful stop before the process ends anyway'),
});

const log = z.strictObject({
  level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info').describe('Least severe messages that are logged'),
  format: z.enum(['auto', 'json', 'pretty']).default('auto').describe('auto: pretty on a terminal, JSON elsewhere'),
});

const trace = z.strictObject({
  file: z.string().default('').describe('File for every Raft transition of this node, at most 256 MiB; relative to data.dir; empty: none'),
});

export const sections = { node, cluster, listen, advertise, data, raft, journal, limits, topics, maintenance, log, trace } as const;

export const configSchema = z.strictObject({
  node: node.prefault({}),
  cluster: cluster.prefault({}),
  listen: listen.prefault({}),
  advertise: advertise.prefault({}),
  data: data.prefault({}),
  raft: raft.prefault({}),
  journal: journal.prefault({}),
  limits: limits.prefault({}),
  topics: topics.prefault({}),
  maintenance: maintenance.prefault({}),
  log: log.prefault({}),
  trace: trace.prefault({}),
});

export type Config = z.infer<typeof configSchema>;
