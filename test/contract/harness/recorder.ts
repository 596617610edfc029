/** A network handler that remembers what it heard and lets a test wait for it. */
import { asGroupId, asNodeId, asRaftIndex, asTerm, type NodeId } from '@balsa/node/core/ids.ts';
import type { EntriesAnswer, EntriesRequest, GroupMessage, Network, NetworkHandler } from '@balsa/node/ports/network.ts';

export interface Recorder extends NetworkHandler {
  readonly frames: { readonly from: NodeId; readonly messages: readonly GroupMessage[] }[];
  /** 'up 2', 'lost 2', in order. */
  readonly peers: string[];
  readonly messages: () => readonly GroupMessage[];
  /** Requests for entries, and what is answered to them. */
  readonly asked: { readonly from: NodeId; readonly request: EntriesRequest }[];
  answer: (request: EntriesRequest) => Promise<EntriesAnswer | undefined>;
  /** Resolves once `condition` holds; checked after everything that is heard. */
  readonly until: (condition: () => boolean) => Promise<void>;
}

export function createRecorder(): Recorder {
  const frames: Recorder['frames'] = [];
  const peers: string[] = [];
  const waiting = new Set<() => void>();
  const heard = (): void => {
    for (const check of waiting) check();
  };
  const recorder: Recorder = {
    frames,
    peers,
    asked: [],
    answer: async () => undefined,
    onReadEntries: (from, request) => {
      recorder.asked.push({ from, request });
      return recorder.answer(request);
    },
    messages: () => frames.flatMap((frame) => frame.messages),
    onMessages: (from, messages) => {
      frames.push({ from, messages });
      heard();
    },
    onPeerUp: (peer) => {
      peers.push(`up ${peer}`);
      heard();
    },
    onPeerLost: (peer) => {
      peers.push(`lost ${peer}`);
      heard();
    },
    until: (condition) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!condition()) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
  };
  return recorder;
}

export const connected = (recorder: Recorder, network: Network, peer: number): Promise<void> =>
  recorder.until(() => network.isConnected(asNodeId(peer)));

/** A control message that can be told from others by its round. */
export function heartbeat(from: number, to: number, readRound: number): GroupMessage {
  const message = {
    kind: 'heartbeat-request',
    from: asNodeId(from),
    to: asNodeId(to),
    term: asTerm(3),
    commit: asRaftIndex(7),
    readRound,
  } as const;
  return { group: asGroupId(5), generation: 1, message };
}

/** A bulk message with one entry that carries `payload` at index `previous` + 1. */
export function append(from: number, to: number, previous: number, payload: Uint8Array): GroupMessage {
  const entry = { kind: 'command', index: asRaftIndex(previous + 1), term: asTerm(3), size: payload.length + 48, payload } as const;
  const head = { kind: 'append-request', from: asNodeId(from), to: asNodeId(to), term: asTerm(3) } as const;
  const message = { ...head, index: asRaftIndex(previous), indexTerm: asTerm(3), commit: asRaftIndex(7), entries: [entry] };
  return { group: asGroupId(5), generation: 1, message };
}
