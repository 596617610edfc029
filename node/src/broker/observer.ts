/** What the broker tells whoever measures and logs it. All calls are synchronous and must not throw. */
export interface BrokerObserver {
  readonly onProduced: (bytes: number, records: number, durationMs: number) => void;
  readonly onFetched: (bytes: number, batches: number, durationMs: number) => void;
  /** One topic's groups were opened, removed; maintenance moved something. */
  readonly onEvent: (event: BrokerEvent) => void;
}

export type BrokerEvent =
  | { readonly kind: 'group-opened' | 'group-removed'; readonly group: number; readonly subject: string }
  /** This node became the leader of the group. */
  | { readonly kind: 'leads'; readonly group: number; readonly subject: string; readonly term: number }
  | { readonly kind: 'reconcile-failed'; readonly group: number; readonly error: unknown }
  | { readonly kind: 'cluster-initialised'; readonly clusterId: string }
  | { readonly kind: 'registered'; readonly node: number }
  | { readonly kind: 'registration-failed'; readonly error: unknown; readonly final: boolean }
  | { readonly kind: 'trimmed'; readonly subject: string; readonly logStart: number }
  | { readonly kind: 'leadership-returned'; readonly subject: string; readonly node: number }
  | { readonly kind: 'maintenance-failed'; readonly task: string; readonly error: unknown };
