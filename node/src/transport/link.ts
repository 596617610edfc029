/**
 * The dialled half of a peer: control and bulk subscriptions that live and die
 * together. The link is up when both have shown a valid hello. When either closes, the
 * other is cut too and both are dialled again after a pause, so "up" always means that
 * entries as well as votes can arrive.
 *
 * The pause is random between the smallest and a ceiling that doubles per failure;
 * after a refusal it is long, because only a change of configuration helps.
 */
import { PeerFrame, type PeerHello, type RaftMessage } from '@balsa/proto/peer';
import { type Channel, channels } from './channel.ts';
import { helloMismatch, type Identity, subscribeRequest } from './identity.ts';
import type { TransportLimits } from './limits.ts';
import { openSubscription, type Subscription } from './subscription.ts';
import type { GrpcNetworkOptions, PeerAddress } from './vocabulary.ts';

export interface LinkOptions {
  readonly peer: PeerAddress;
  readonly own: Identity;
  readonly limits: TransportLimits;
  readonly clock: GrpcNetworkOptions['clock'];
  readonly random: GrpcNetworkOptions['random'];
  readonly onUp: () => void;
  /** A dialled link closed or could not be made. */
  readonly onDown: (cause: LinkFailure) => void;
  readonly onMessages: (channel: Channel, messages: readonly RaftMessage[], frameBytes: number) => void;
  readonly onBadFrame: (channel: Channel, reason: string) => void;
}

export interface LinkFailure {
  readonly reason: string;
  /** Set if one side will not talk to the other. */
  readonly refusedBy: 'self' | 'peer' | undefined;
}

export interface Link {
  readonly isUp: () => boolean;
  readonly close: () => void;
}

interface LinkState {
  readonly options: LinkOptions;
  attempt: Attempt | undefined;
  cancelRetry: () => void;
  /** Failed attempts since the link was last up. */
  failures: number;
  closed: boolean;
}

interface Attempt {
  subscriptions: Subscription[];
  /** Channels whose hello was valid. */
  readonly greeted: Set<Channel>;
  cancelTimeout: () => void;
}

/** Doublings after which the ceiling of the pause has long reached its maximum. */
const doublingsMax = 16;

export function openLink(options: LinkOptions): Link {
  const link: LinkState = { options, attempt: undefined, cancelRetry: () => undefined, failures: 0, closed: false };
  dial(link);
  return {
    isUp: () => link.attempt?.greeted.size === channels.length,
    close: () => {
      link.closed = true;
      link.cancelRetry();
      endAttempt(link);
    },
  };
}

function dial(link: LinkState): void {
  const { peer, own, limits, clock } = link.options;
  const attempt: Attempt = { subscriptions: [], greeted: new Set(), cancelTimeout: () => undefined };
  link.attempt = attempt;
  attempt.cancelTimeout = clock.after(limits.helloTimeoutMs, () => {
    fail(link, attempt, { reason: `no answer from ${peer.address} within ${limits.helloTimeoutMs} ms`, refusedBy: undefined });
  });
  attempt.subscriptions = channels.map((channel) =>
    openSubscription(
      { address: peer.address, channel, request: subscribeRequest(own, peer.nodeId, channel), limits },
      {
        onFrame: (frame) => receive(link, attempt, channel, frame),
        onClosed: ({ reason, refused }) => fail(link, attempt, { reason, refusedBy: refused ? 'peer' : undefined }),
      },
    ),
  );
}

function receive(link: LinkState, attempt: Attempt, channel: Channel, bytes: Uint8Array): void {
  if (link.attempt !== attempt) return;
  const frame = decodeFrame(bytes);
  const greeted = attempt.greeted.has(channel);
  if (typeof frame === 'string') return failOnFrame(link, attempt, channel, frame);
  if (greeted !== (frame.hello === undefined))
    return failOnFrame(link, attempt, channel, 'hello belongs into the first frame and only there');
  if (frame.hello !== undefined) greet(link, attempt, channel, frame.hello);
  if (frame.messages.length > 0 && attempt.greeted.has(channel)) link.options.onMessages(channel, frame.messages, bytes.length);
}

/** The frame, or why it cannot be decoded. */
function decodeFrame(bytes: Uint8Array): PeerFrame | string {
  try {
    return PeerFrame.decode(bytes);
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause);
  }
}

function failOnFrame(link: LinkState, attempt: Attempt, channel: Channel, reason: string): void {
  link.options.onBadFrame(channel, reason);
  fail(link, attempt, { reason: `bad frame: ${reason}`, refusedBy: undefined });
}

function greet(link: LinkState, attempt: Attempt, channel: Channel, hello: PeerHello): void {
  const { own, peer, onUp } = link.options;
  const mismatch = helloMismatch(own, peer.nodeId, hello);
  if (mismatch !== undefined) return fail(link, attempt, { reason: mismatch, refusedBy: 'self' });
  attempt.greeted.add(channel);
  if (attempt.greeted.size < channels.length) return;
  attempt.cancelTimeout();
  link.failures = 0;
  onUp();
}

function fail(link: LinkState, attempt: Attempt, cause: LinkFailure): void {
  if (link.attempt !== attempt) return;
  endAttempt(link);
  const { clock, onDown } = link.options;
  link.cancelRetry = clock.after(pauseMs(link, cause), () => dial(link));
  link.failures++;
  onDown(cause);
}

function endAttempt(link: LinkState): void {
  const { attempt } = link;
  link.attempt = undefined;
  attempt?.cancelTimeout();
  for (const subscription of attempt?.subscriptions ?? []) subscription.close();
}

function pauseMs({ options, failures }: LinkState, { refusedBy }: LinkFailure): number {
  const { reconnectMsMin, reconnectMsMax, refusedRetryMs } = options.limits;
  const doubled = reconnectMsMin * 2 ** Math.min(failures + 1, doublingsMax);
  const ceiling = refusedBy === undefined ? Math.min(reconnectMsMax, doubled) : refusedRetryMs;
  const floor = refusedBy === undefined ? Math.min(reconnectMsMin, ceiling) : Math.floor(refusedRetryMs / 2);
  return floor + options.random.below(ceiling - floor + 1);
}
