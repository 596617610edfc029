/**
 * One probe of availability: a small operation that was due at a fixed time, whatever had
 * become of the ones before it (open loop). One NDJSON line per probe in `probes.ndjson`.
 *
 * Times are nanoseconds since the run began, as in the history.
 */
export type ProbeKind =
  /** One record, acks as the scenario says. */
  | 'write'
  /** A linearizable question for the end of the log. */
  | 'read'
  /** A record of a write probe reached a consumer that follows the log; due when it was acknowledged. */
  | 'consume';

export interface ProbeSample {
  readonly probe: ProbeKind;
  readonly topic: string;
  readonly partition: number;
  /** When it was to begin: latency counts from here, so a stalled client hides nothing. */
  readonly dueNs: number;
  /** When its answer came; undefined if none came within the deadline. */
  readonly doneNs?: number;
  /** Code of docs/errors.md if the answer was an error, TIMEOUT, or NOT_SENT: too many had no answer already. */
  readonly error?: string;
}
