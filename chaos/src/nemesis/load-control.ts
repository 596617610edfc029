/** What a fault may do to the clients of a run; the workload implements it. */

/** Most repetitions of one request. */
export const repeatsMax = 32;

export interface LoadControl {
  /** The offered rate as a multiple of the scenario's; 1 is what the scenario says. */
  readonly setRate: (factor: number) => void;
  /** Every request of the producers goes out so many times more, at once; 0 ends that. */
  readonly setRepeats: (copies: number) => void;
  /** Since the beginning of the run. */
  readonly repeats: () => Repeats;
  /**
   * A producer is lost in the middle of its work, without a farewell: what it has sent is of
   * unknown outcome, nothing of it is sent again. Another one takes its place, under another
   * producer id.
   */
  readonly crashProducer: () => Promise<CrashedProducer>;
}

export interface Repeats {
  /** Requests that went out again. */
  readonly sent: number;
  /** Those whose answer said that the batch had been accepted before. */
  readonly duplicates: number;
}

export interface CrashedProducer {
  /** As the history names it. */
  readonly producer: string;
  /** Sends that had no answer when it was lost. */
  readonly unanswered: number;
}
